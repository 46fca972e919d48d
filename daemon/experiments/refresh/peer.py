"""Runs the numpy rows of the peer's recompute_arxiv.py as they are, and adds the processor time that an update took.

    python peer.py PATH_OF_recompute_arxiv.py stream --threads 2 --seconds 8

The script takes the time of a batch as the difference of two time.perf_counter(). Here that returns a number which knows
the process's processor time too, and sums it up when a difference is taken. One line of JSON a row; it ends before the
rows of PyG, which are another way to compute.
"""
import builtins, json, os, runpy, sys, time

wall, elapsed, used = time.perf_counter, 0.0, 0.0


class Clock(float):
    def __new__(cls):
        c = float.__new__(cls, wall())
        c.cpu = time.process_time()
        return c

    def __sub__(self, other):
        global elapsed, used
        d = float(self) - float(other)
        if isinstance(other, Clock):
            elapsed += d
            used += self.cpu - other.cpu
        return d


def row(*args, **kwargs):
    """Takes the place of print in the script: a row of its table becomes JSON."""
    global elapsed, used
    cells = [c.strip() for c in str(args[0]).strip("| ").split("|")]
    if len(cells) < 7 or not cells[1].isdigit():
        return
    if "numpy" not in cells[0]:
        sys.stdout.flush()
        os._exit(0)
    rate = float(cells[2])
    sys.stdout.write(json.dumps({"batch": int(cells[1]), "per_s": rate, "cpu_us": used / (rate * elapsed) * 1e6, "p50_ms": float(cells[3]),
                                 "p99_ms": float(cells[4]), "embedded": float(cells[5])}) + "\n")
    elapsed = used = 0.0


time.perf_counter, builtins.print = Clock, row
script = sys.argv[1]
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(os.path.abspath(script))
runpy.run_path(script, run_name="__main__")
