"""
The welcome page: how a computer or a phone comes to trust this gateway. It is made here, without a script.

The look is that of the page in `gateway/web/src/ui/theme.css`.
"""

import base64
from hashlib import sha256
from html import escape
from string import Template

STYLE = """
:root {
  color-scheme: light dark;
  --ground: light-dark(#f3f5f8, #0e141a);
  --surface: light-dark(#ffffff, #171f27);
  --sunken: light-dark(#e8ecf1, #0a0f14);
  --ink: light-dark(#15202b, #e8eef4);
  --ink-soft: light-dark(#4c5966, #a9b6c3);
  --line: light-dark(#d5dce3, #2a3641);
  --accent: light-dark(#2b4cad, #a3b8ff);
  --on-accent: light-dark(#ffffff, #0c1638);
  --accent-ink: light-dark(#24429a, #b9c9ff);
  --mono: ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--ground);
  color: var(--ink);
  font: 1rem / 1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
main, .card { display: grid; grid-template-columns: minmax(0, 1fr); }
main { gap: 1.5rem; max-inline-size: 44rem; margin-inline: auto; padding: clamp(1rem, 6vh, 4rem) 1rem; }
header { display: flex; align-items: center; gap: 0.75rem; }
svg { flex: none; inline-size: 3rem; block-size: 3rem; }
h1, h2, p, ol { margin: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.011em; text-wrap: balance; }
h2 { font-size: 1.375rem; line-height: 1.2; }
.soft { color: var(--ink-soft); }
.card {
  gap: 1rem;
  padding: 1.5rem;
  border: 1px solid var(--line);
  border-radius: 0.875rem;
  background: var(--surface);
}
.print {
  display: grid;
  grid-template-columns: repeat(4, 2ch);
  justify-content: start;
  gap: 0.5rem 1.5ch;
  margin: 0;
  padding: 1rem;
  border-radius: 0.5rem;
  background: var(--sunken);
  font: 1.125rem / 1.4 var(--mono);
}
@media (min-width: 30rem) { .print { grid-template-columns: repeat(8, 2ch); } }
a { color: var(--accent-ink); }
.go {
  display: inline-flex;
  align-items: center;
  justify-self: start;
  min-block-size: 2.75rem;
  padding: 0.5rem 1.25rem;
  border-radius: 0.5rem;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
  text-decoration: none;
}
a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 0.5rem; }
details { border-block-start: 1px solid var(--line); }
summary { padding-block: 0.75rem; font-weight: 600; cursor: pointer; }
ol { display: grid; gap: 0.5rem; padding-inline-start: 1.4em; padding-block-end: 1rem; }
code, kbd { font: 0.95em var(--mono); }
"""

TEMPLATE = Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Blockpost: the first visit</title>
<style>$style</style>
<main>
<header>
<svg viewBox="0 0 64 64" aria-hidden="true">
<rect width="64" height="64" rx="15" fill="#2b4cad"/>
<g fill="none" stroke="#fff" stroke-width="4.5" stroke-linejoin="round" stroke-linecap="round">
<path d="M32 12 50 22v20L32 52 14 42V22z"/><path d="M15 23l17 10 17-10M32 33v18"/></g>
</svg>
<div><p><strong>Blockpost</strong></p><p class="soft">$site</p></div>
</header>
<h1>The first visit with this computer or phone</h1>
<p>Blockpost carries messages and alerts in this building, and nobody on the way can read them. Before your browser
can open it, it has to know this site's certificate. That takes a few minutes, once for each computer or phone.
Did you do this already? Then <a href="$link">open Blockpost</a>.</p>

<section class="card" aria-labelledby="get">
<h2 id="get">1. Get the certificate</h2>
<a class="go" href="/root.crt" download>Download root.crt</a>
<p>On an iPhone or an iPad: <a href="/root.mobileconfig">get it as a profile</a> instead.</p>
</section>

<section class="card" aria-labelledby="compare">
<h2 id="compare">2. Compare its fingerprint</h2>
<p>Somebody else on this network could show you a page like this one, with a certificate of their own. So look at the
fingerprint (SHA-256) that <strong>your own computer or phone</strong> shows for the certificate: the steps below say
where. It must be the one that your admin gave you <strong>in person or on paper</strong>. If one letter or digit
differs, stop, and tell your admin.</p>
<p>This page was sent with this fingerprint:</p>
<p class="print">$pairs</p>
<p class="soft">For the admin: on the gateway itself, <code>blockpost gateway doctor</code> prints it.</p>
</section>

<section class="card" aria-labelledby="install">
<h2 id="install">3. Let your device trust it</h2>
<div>
<details><summary>Windows: Edge and Chrome</summary>
<ol>
<li>To compare, open the Command Prompt and type
<code>certutil -hashfile "%USERPROFILE%\\Downloads\\root.crt" SHA256</code></li>
<li>Open the downloaded file <code>root.crt</code>, and choose <b>Install Certificate</b>.</li>
<li>Choose <b>Current User</b>, then <b>Place all certificates in the following store</b>, then
<b>Browse</b> and <b>Trusted Root Certification Authorities</b>.</li>
<li>Choose <b>Finish</b>, and <b>Yes</b> to the warning. Close the browser and open it again.</li>
</ol></details>
<details><summary>Mac: Safari and Chrome</summary>
<ol>
<li>Open the downloaded file <code>root.crt</code>. Keychain Access opens: add it to the keychain <b>login</b>.</li>
<li>Find <b>Blockpost root</b> there and open it. Its fingerprint is at the end of the details: compare it.</li>
<li>Under <b>Trust</b>, set <b>When using this certificate</b> to <b>Always Trust</b>. Close the window and type your
password.</li>
</ol></details>
<details><summary>iPhone and iPad</summary>
<ol>
<li>In Safari, <a href="/root.mobileconfig">get the profile</a>, and allow the download.</li>
<li>Open <b>Settings</b>, then <b>Profile Downloaded</b>. Under <b>More Details</b>, open the certificate and compare
its fingerprint. Then choose <b>Install</b>.</li>
<li>Open <b>Settings, General, About, Certificate Trust Settings</b>, and switch <b>Blockpost root</b> on.</li>
</ol></details>
<details><summary>Android</summary>
<ol>
<li>Open <b>Settings</b>, and search for <b>CA certificate</b>. (It is under <b>Security, Encryption and
credentials, Install a certificate</b>.)</li>
<li>Choose <b>Install anyway</b>, and the downloaded file <code>root.crt</code>.</li>
<li>Open <b>Trusted credentials, User</b> there, then <b>Blockpost root</b>, and compare its fingerprint. Remove it
again if it differs.</li>
</ol></details>
<details><summary>Linux: Chrome and Chromium</summary>
<ol>
<li>To compare: <code>sha256sum root.crt</code></li>
<li>Open <kbd>chrome://certificate-manager</kbd>, then <b>Custom</b>, <b>Trusted Certificates</b>, <b>Import</b>, and
choose <code>root.crt</code>. (In older ones: Settings, Security, Manage certificates, Authorities.)</li>
<li>For other programs, on Debian and Ubuntu:
<code>openssl x509 -inform der -in root.crt -out blockpost.crt</code>, then
<code>sudo cp blockpost.crt /usr/local/share/ca-certificates/</code> and <code>sudo update-ca-certificates</code></li>
</ol></details>
<details><summary>Firefox on any computer</summary>
<ol>
<li>Open <b>Settings, Privacy &amp; Security, Certificates, View Certificates, Authorities</b>, choose <b>Import</b>
and the downloaded file <code>root.crt</code>.</li>
<li>Choose <b>View</b>, and compare the fingerprint.</li>
<li>Tick <b>Trust this CA to identify websites</b>, and choose <b>OK</b>.</li>
</ol></details>
</div>
<p class="soft">Whoever runs this gateway could then show your device false copies of other sites, too. So do this only if
you trust them. When you no longer use Blockpost, remove the certificate in the same place.</p>
</section>

<section class="card" aria-labelledby="open">
<h2 id="open">4. Open Blockpost</h2>
<a class="go" href="$link">Open $link</a>
<p>If your browser warns you that the connection is not safe, step 3 is not done yet: do not go on past the warning,
but ask your admin.</p>
</section>
</main>
</html>
""")

_STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()

POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing runs, and nothing is loaded: the style is the one that lies in the page."""


def render(site: str, fingerprint: str, link: str) -> bytes:
    """`site` is its name; `fingerprint` has colons (`gateway.tls.fingerprint`); `link` leads to the gateway."""
    pairs = " ".join(f"<span>{escape(pair)}</span>" for pair in fingerprint.split(":"))
    return TEMPLATE.substitute(style=STYLE, site=escape(site), pairs=pairs, link=escape(link)).encode()
