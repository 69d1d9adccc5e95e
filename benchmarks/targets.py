"""What is to be reached. Changing one is a decision about the product, not about a benchmark."""

from __future__ import annotations

from benchmarks.figures import Target

#: Echo over HTTP, beyond the bare echo, in milliseconds.
ECHO_MORE_P50 = Target(5)
ECHO_MORE_P99 = Target(15)
#: 50 sessions that print 2 KB/s each: print → seen at p99 in milliseconds; share of one core in percent.
FLEET_P99 = Target(50)
FLEET_CPU = Target(30)
#: A flood's rate, as a share of the bare loop's, in percent.
FLOOD_SHARE = Target(50, at_least=True)
#: Memory of master and worker while idle, in megabytes, and what a session adds.
MEMORY_IDLE = Target(120)
MEMORY_SESSION = Target(1.5)
#: Time to the prompt, as a multiple of the bare CLI's.
START_RATIO = Target(1.25)
#: An endpoint that touches no terminal, beyond a Flask view that does nothing, in milliseconds.
API_MORE_P50 = Target(4)
#: Re-encrypting 10,000 credentials, in seconds; meanwhile other calls at p99, in milliseconds.
ROTATION_S = Target(10)
ROTATION_P99 = Target(100)
#: Through the emulated instance with 50 ms round trip, one session: command → first output on the instance, in
#: milliseconds, by the MID Server with its push channel and by the adaptive poller; with 50 sessions, × that at p50.
MID_P50 = Target(500)
MID_P99 = Target(1500)
POLLER_P50 = Target(1000)
POLLER_P99 = Target(2500)
BRIDGE_CROWD = Target(2)
#: Rows of ours in the queue: of a command whose answer settles within a second; in a minute with nobody there; in a
#: minute, beyond those with one watched terminal, with more of them: silent ones (where the minute begins is worth one
#: call), and ones that print 2 KB/s each (the pump answers once a second at most, and the bridge's looks add a little).
BRIDGE_ROWS = Target(4)
BRIDGE_IDLE = Target(0)
BRIDGE_MORE_ROWS = Target(2)
BRIDGE_MORE_PRINTED = Target(10)
#: A poller with nobody there: requests to the instance in a minute, megabytes, percent of a core.
POLLER_REQUESTS = Target(15)
POLLER_MEMORY = Target(60)
POLLER_CPU = Target(1)
#: What a bridge that is killed may lose, do twice or in another order.
BRIDGE_LOST = Target(0)
#: Instance and MID Server up, the app installed before, in seconds.
EMULATOR_START_S = Target(5)
#: In a browser, the instance with 50 ms round trip, in milliseconds: a command's first output and a key's echo painted,
#: 200 KB painted to the end, the screen painted after a reload; each without the push channel.
PORTAL_COMMAND_P50 = Target(500)
PORTAL_COMMAND_P99 = Target(1500)
PORTAL_ECHO_P50 = Target(500)
PORTAL_LONG = Target(5000)
PORTAL_RELOAD = Target(1500)
PORTAL_POLLED_MORE = Target(3000)
