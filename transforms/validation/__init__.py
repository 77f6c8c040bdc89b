"""What the standards ask of a finished statement or event: the complete rules, for anybody's data.

``edx2lrs validate`` and the sandbox use them. ``transforms/mapping/guard.py`` is the short form that every statement of ours passes.
"""
