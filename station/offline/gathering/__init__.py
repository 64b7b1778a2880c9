"""What a data set is made of: folders of any kind, what lies in them told apart, and what people say of it.

    recording.jsonl, truth.jsonl   ─ recordings ──┐  every pixel is known
    recording.jsonl                ─ recordings ──┤  a class of each part
    data folder                    ─ records ─────┼─ joining ─▶ scans, each once ─▶ `models.dataset.making`
        archive, labels.db         ─ words ───────┤  what people say of each scan
    patches in folders of classes  ─ patches ─────┘  a class of each patch

`sources` tells the kinds apart. Whatever is not taken is told by name, and counted in the data set's manifest.
"""
