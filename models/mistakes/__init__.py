"""Which labels of a data set are likely wrong, by what networks answer that have not seen them.

    RUN or FOLDS, data set ─ answers ─▶ probabilities of images that did not train ─ confident ─▶ likely mistakes
    these ─ report ─▶ a page with their pictures

The answers need torch; all else does not.
"""
