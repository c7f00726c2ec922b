"""
Limits that people set by message: what a sensor's settings become, for how long, and what is told of them. No I/O.

The settings file stays as it is. What was asked for holds in its place until it is forgotten, or the file itself says
something else of that sensor than it did when it was asked.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from chain.entry import Milliseconds
from device.config import Config, Sensor, consistent
from device.content import MAX_DETAIL, DeviceSettings, LimitsChange, LimitValues, SensorSettings
from device.errors import BadConfig

LASTING = ("clear_by", "must_last")
"""What there is only with a limit."""


class Override(Struct, frozen=True, kw_only=True):
    """What was set, all requests taken together; the last one of them is named."""

    sensor: str
    index: int
    """Of the request's entry: an older one changes nothing any more."""

    request: str
    by: str
    """The account whose request it was."""

    at: Milliseconds
    """When it was written, by its author's clock."""

    instead: LimitValues
    """What the file said then."""

    given: LimitValues


def of_file(sensor: Sensor) -> LimitValues:
    """All that could be set, as it stands in the file."""
    return LimitValues(**{name: getattr(sensor, name) for name in LimitValues.__struct_fields__})


def limited(name: str, sensor: Sensor, given: LimitValues) -> Sensor:
    """The sensor with these limits; raise `BadConfig`, in words for whoever asked, if they contradict one another."""
    changed = structs.replace(sensor, **given.given)
    if not changed.rules.are_limits:
        changed = structs.replace(changed, **{each: None for each in LASTING if not given.given.get(each)})
    return consistent(changed, where=f"{name}: ")


def override(
    file: Config,
    before: Override | None,
    change: LimitsChange,
    *,
    index: int,
    request: str,
    by: str,
    at: int,
) -> Override:
    """What holds after a request: what was set before, and what it sets. Raise `BadConfig` if that cannot be."""
    sensor = file.sensors[change.sensor]
    given = LimitValues(**({} if before is None else before.given.given) | change.set.given)
    limited(change.sensor, sensor, given)
    return Override(
        sensor=change.sensor,
        index=index,
        request=request,
        by=by,
        at=at,
        instead=of_file(sensor),
        given=given,
    )


def outdated(file: Config, held: Override) -> str | None:
    """Why something that was set does not hold any more, if so."""
    sensor = file.sensors.get(held.sensor)
    if sensor is None:
        return "the settings file has no such sensor any more"
    if of_file(sensor) != held.instead:
        return "the settings file says something else since"
    try:
        limited(held.sensor, sensor, held.given)
    except BadConfig as error:
        return f"it contradicts the settings file now: {error}"
    return None


def in_force(file: Config, held: Iterable[Override]) -> Config:
    """The settings that count now; of `held`, none may be `outdated`."""
    set_ = {each.sensor: limited(each.sensor, file.sensors[each.sensor], each.given) for each in held}
    return structs.replace(file, sensors=file.sensors | set_)


def settings(
    config: Config, held: Mapping[str, Override], names: Iterable[str], refused: str | None = None
) -> DeviceSettings:
    """What is told of the sensors of these names; `config` is what is in force."""
    return DeviceSettings(
        sensors=tuple(_settings(name, config.sensors[name], held.get(name)) for name in sorted(names)),
        refused=None if refused is None else refused[:MAX_DETAIL],
    )


def _settings(name: str, sensor: Sensor, held: Override | None) -> SensorSettings:
    rules = sensor.rules
    return SensorSettings(
        sensor=name,
        low=rules.low,
        high=rules.high,
        clear_by=rules.clear_by,
        must_last=rules.must_last,
        stale_after=rules.stale_after,
        priority=sensor.called,
        unit=rules.unit,
        code=rules.code,
        preset=sensor.preset,
        by=None if held is None else held.by,
        at=None if held is None else held.at,
        request=None if held is None else held.request,
    )
