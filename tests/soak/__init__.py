"""
A building at work for an hour, with people and devices that come and go, and things that go wrong now and then.

* `soak`    the run: a scene of `tests.faults`, more devices, churn and faults, by the clock
* `crowd`   devices that measure all the time, and those that come and go
* `guests`  people's browsers: sessions over REST, and a real Chromium
* `ear`     what the logs say, and whether it was our doing
* `scales`  each minute's figures
* `report`  what they add up to: flat or not, lost or not

`make soak ARGS="--minutes 60 --seed 1 --report soak.md"`
"""
