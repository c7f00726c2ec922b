"""The OpenAPI document as a page to read: made here, once, and without a script."""

import base64
from hashlib import sha256
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 3rem; border-bottom: 1px solid; }
h3 { margin-top: 2rem; overflow-wrap: anywhere; }
code { font: 0.95em ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; }
th { width: 16rem; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; border-top: 1px solid #8886; }
td { overflow-wrap: anywhere; }
nav ul { columns: 18rem; padding: 0; list-style: none; }
.who { font-size: 0.9em; }
"""

TEMPLATE = """\
{%- macro kind(schema) -%}
  {%- if "$ref" in schema -%}
    {%- set name = schema["$ref"].rpartition("/")[2] -%}<a href="#{{ name }}">{{ name }}</a>
  {%- elif "anyOf" in schema -%}
    {%- for each in schema["anyOf"] -%}{{ kind(each) }}{% if not loop.last %} or {% endif %}{%- endfor -%}
  {%- elif "enum" in schema -%}
    {%- for each in schema["enum"] -%}<code>{{ each | tojson }}</code>{% if not loop.last %}, {% endif %}{%- endfor -%}
  {%- elif schema.get("type") == "array" -%}
    list of {{ kind(schema.get("items", {})) }}
  {%- else -%}
    {{ schema.get("type", "anything") }}
    {%- for bound, words in bounds.items() if bound in schema %}, {{ words }} <code>{{ schema[bound] }}</code>
    {%- endfor -%}
  {%- endif -%}
{%- endmacro -%}
{%- macro content(of) -%}
  {%- for media, each in of.items() -%}
    {%- if each["schema"] %}{{ kind(each["schema"]) }} {% endif %}<code>{{ media }}</code>
  {%- endfor -%}
{%- endmacro -%}
{%- macro prose(text) -%}
  {%- for part in text.split("`") -%}
    {%- if loop.index0 % 2 -%}<code>{{ part }}</code>{%- else -%}{{ part }}{%- endif -%}
  {%- endfor -%}
{%- endmacro -%}
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ info["title"] }}: REST</title>
<style>{{ style }}</style>
<h1>{{ info["title"] }} {{ info["version"] }}: REST</h1>
<p>{{ info["description"] }} For programs: <a href="openapi.json">openapi.json</a>.</p>
<nav aria-label="Routes">
{%- for tag in tags %}
<p>{{ tag["name"] }}</p>
<ul>
{%- for path, methods in paths.items() %}{% for method, of in methods.items() if tag["name"] in of["tags"] %}
<li><a href="#{{ of["operationId"] }}"><code>{{ method | upper }} {{ path }}</code></a></li>
{%- endfor %}{% endfor %}
</ul>
{%- endfor %}
<p><a href="#schemas">Documents</a></p>
</nav>
<main>
{%- for tag in tags %}
<h2>{{ tag["name"] }}</h2>
{%- for path, methods in paths.items() %}{% for method, of in methods.items() if tag["name"] in of["tags"] %}
<h3 id="{{ of["operationId"] }}"><code>{{ method | upper }} {{ path }}</code></h3>
<p>{{ of["summary"] }}. <span class="who">
{%- if not of["security"] %}For everybody.
{%- elif {} in of["security"] %}For everybody on the gateway's own machine, and for admins.
{%- else %}{{ of.get("description", "For accounts.") }}
{%- endif %}</span></p>
<table>
{%- for each in of.get("parameters", []) %}
<tr><th scope="row">{{ each["in"] }} <code>{{ each["name"] }}</code><td>{{ kind(each["schema"]) }}
{%- if "default" in each["schema"] %}, else <code>{{ each["schema"]["default"] | tojson }}</code>{% endif %}
{%- endfor %}
{%- if "requestBody" in of %}
<tr><th scope="row">body<td>{{ content(of["requestBody"]["content"]) }}
{%- endif %}
{%- for status, answer in of["responses"].items() %}
<tr><th scope="row">{{ status }}<td>{{ answer["description"] }}
{%- if "content" in answer %}: {{ content(answer["content"]) }}{% endif %}
{%- endfor %}
</table>
{%- endfor %}{% endfor %}
{%- endfor %}
<h2 id="schemas">Documents</h2>
{%- for name, schema in components["schemas"] | dictsort %}
<h3 id="{{ name }}"><code>{{ name }}</code></h3>
{%- if "description" in schema %}<p>{{ prose(schema["description"]) }}</p>{% endif %}
{%- if schema.get("properties") %}
<table>
{%- for member, of in schema["properties"].items() %}
<tr><th scope="row"><code>{{ member }}</code>{% if member not in schema["required"] %} (optional){% endif %}
<td>{{ kind(of) }}
{%- endfor %}
</table>
{%- else %}<p>No members.</p>{% endif %}
{%- endfor %}
</main>
</html>
"""

BOUNDS = {
    "pattern": "matching",
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "no shorter than",
    "maxLength": "no longer than",
}

STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{STYLE_HASH}'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Referrer-Policy": "no-referrer",
}
"""Nothing runs, and nothing is loaded: the style is the one that lies in the page."""


def render(document: dict[str, Any]) -> str:
    template = Environment(autoescape=True).from_string(TEMPLATE)
    return template.render(document, style=Markup(STYLE), bounds=BOUNDS)  # noqa: S704 - it is ours, a few lines above
