"""Compiled passes over the pixels of a block: what would take numpy and OpenCV many small calls each.

    passes.c     the loops, in C, nothing but integers and OpenCV's own order of sums
    passes.py    calls them on numpy arrays; everything that is checked is checked here
    sharing.py   which columns and lines of a block become a pixel of a strip, and by what share
    build.py     compiles them: `python -m station.flow.pixels.build`

After the last line of a turn every millisecond counts, and caches are cold after the wait for it: one pass over lines
that lie in the cache takes a fifth of what five calls take. The results are bit for bit those of the calls that they
stand for, which the tests hold them against. A pass never lets go of the interpreter: it is over before another thread
could have been woken, and would otherwise wait for that one to finish.
"""
