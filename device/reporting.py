"""
Reporting: which samples of a sensor are worth a message, and the clear header each one carries.

Every reading is sent; a fault is sent once when it begins and once when it is over, as a technical alert.
"""

import secrets

import msgspec
from msgspec import Struct

from chain import entry
from chain.entry import Alert
from device.config import Sensor
from device.content import FAULT, READING, RECOVERED, FaultNote
from device.reading import Fault, Reading, Sample, content


class Report(Struct, frozen=True):
    """A message to send: its content, what kind of string that is, and its alert header."""

    content: str
    cty: str
    alert: Alert | None


class Reporter:
    """One sensor's reports. Its episodes are opaque: a header tells nobody which sensor it is of."""

    def __init__(self, sensor: Sensor) -> None:
        self._priority = sensor.priority
        self._episode: str | None = None
        self._fault: str | None = None

    def report(self, sample: Sample) -> list[Report]:
        if isinstance(sample, Fault):
            return self._failed(sample)
        return [*self._recovered(sample), Report(content(sample), READING, self._header())]

    def _header(self) -> Alert | None:
        if self._priority is None:
            return None
        begun = self._episode is not None
        self._episode = self._episode or entry.new_stream(secrets.token_bytes)
        return Alert(self._episode, "physiological", self._priority, "continue" if begun else "start")

    def _failed(self, fault: Fault) -> list[Report]:
        if self._fault is not None:
            return []
        self._fault = entry.new_stream(secrets.token_bytes)
        return [self._technical(fault.sensor, fault.reason, fault.detail, "start")]

    def _recovered(self, reading: Reading) -> list[Report]:
        if self._fault is None:
            return []
        report = self._technical(reading.sensor, RECOVERED, "", "end")
        self._fault = None
        return [report]

    def _technical(self, sensor: str, reason: str, detail: str, state: str) -> Report:
        said = msgspec.json.encode(FaultNote(sensor, reason, detail)).decode()
        header = msgspec.convert(
            {
                "episode": self._fault,
                "kind": "technical",
                "priority": self._priority or "medium",
                "state": state,
            },
            Alert,
        )
        return Report(said, FAULT, header)
