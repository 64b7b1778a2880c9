"""Whether parts, lamp, lens and focus are still as they were when it was measured what the station may promise.

    part ─▶ Seen ┬ score ─ martingale ─▶ are parts still like those before?     ┐
                 └ lamp, edges, streak ─ limits ─▶ is the picture still as good? ┴▶ Drift, in the part's record

`martingale` bets against the parts being exchangeable; `limits` holds what every scan shows beside the part against
how it was; `course` is both for the parts of one type, in their order. All of it is plain arithmetic.
"""
