"""`station model compare --measure`: what each network of a comparison costs on each engine, beside what it reaches.

    checkpoint ─▶ bundle of one image a strip ─▶ a process of its own per engine and arithmetic ─▶ time, memory, answers

A process of its own opens each artefact with the station's own engine, so that nothing else is in its memory.
"""
