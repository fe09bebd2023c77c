"""How well a model judges labelled pages: metrics with intervals, derived tests, worst errors, reports.

Nothing here keeps or shows the text of a page: a report names pages by id (DESIGN §2). This package imports nothing
at its top, so that training can use `classifier.evaluation.disguise` and `classifier.evaluation.metrics`.
"""
