"""
Service levels as pure arithmetic: when is working time, how much of it has passed, when is a target consumed.

`calendars` reads a calendar; `working_time` counts in it; `clocks` says when a clock is due, warns and is breached; `scenarios`
answers a question written as JSON; `timeline` and `pictures` explain the answer; `holidays` and `ics` make closed days of
holidays; `checking` compares past tickets.
"""
