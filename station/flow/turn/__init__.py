"""Step 2 b, prove the turn: that the part passed under the camera once, whole, by its lines alone.

    part's columns of a block ─┬─ lines       every line shows a surface, none is missing or filled in
                               ├─ texture ─┬─ stillness   the surface passes
                               │           └─ repeats     nothing of it comes again
                               └─ seam        the last lines meet the first ones

Each module says how its subject is measured and what is found in it; `passage` measures them together, in one compiled
call a block, and `witness` tells the first that speaks against the turn.

Jig, encoder and index pulse are heard as well, but the part may slip in the chuck while all three are good.
"""
