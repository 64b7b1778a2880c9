"""The screener of a bundle: a small network that is asked first, and may only say that a patch is surely defect-free.

    patch ─ screener ─▶ sure, and like what it was trained on ─▶ defect-free, by the screener alone
                  └──▶ anything else ─▶ the full network's own answer, as if there were no screener

So the one thing that can become another is a part that passes although the full network would not have passed it. How
seldom that is, is proven on parts before a station runs the pair (`proving`), for one engine, one arithmetic and the
part types that were looked at; nothing depends on how much there is to do.
"""
