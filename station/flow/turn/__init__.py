"""Step 2 b, prove the turn: that the part passed under the camera once, whole, by its lines alone.

    part's columns of a block ─┬─ lines       every line shows a surface, none is missing or filled in
                               ├─ texture ─┬─ stillness   the surface passes
                               │           └─ repeats     nothing of it comes again
                               └─ seam        the last lines meet the first ones

Jig, encoder and index pulse are heard as well, but the part may slip in the chuck while all three are good.
"""
