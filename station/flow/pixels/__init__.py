"""Compiled passes over the pixels of a block: what would take numpy and OpenCV many small calls each.

    passes.c     the loops for crop and strip, in C, nothing but integers and OpenCV's own order of sums
    turn.c       a block through what the lines prove of a turn: lines.c, copies.c, texture.c, repeats.c, joints.c
    turn.h       what that measures, and in which memory
    library.py   loads them
    passes.py    calls those for the crop on numpy arrays; everything that is checked is checked in Python
    resizing.py  calls that for the strip
    sharing.py   which columns and lines of a block become a pixel of a strip, and by what share
    proofs.py    calls that for the proofs, once a block
    memory.py    the memory for that: lines.py, rows.py and joints.py are turn.h in Python
    build.py     compiles them: `python -m station.flow.pixels.build`

After the last line of a turn every millisecond counts, and caches are cold after the wait for it: one pass takes a
third to a half of what the calls took that it stands for, and of the proofs' time half was the calls of one small pass
after the other. The tests hold each against numpy and OpenCV: profile, counts, sums, texture and strip bit for bit,
likeness and marks to the rounding of floats. A pass never lets go of the interpreter,
because it would have to wait until another thread gives it back.
"""
