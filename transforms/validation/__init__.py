"""The rules of the standards for a finished statement or event: the complete rules, for any data.

``edx2lrs validate`` and the sandbox use these rules. ``transforms/mapping/guard.py`` is the short form that every statement of
edx2lrs passes.
"""
