"""What a result owes to its input: colours, consistency, and a map of what was invented.

Networks trained adversarially may drift in colour and make up detail. Nothing here knows networks: pictures
go in as float32 HWC in [0, 1], ``lq`` and ``scale`` times as large ``sr``, and a named ``kernel`` is the
way in which the input is taken to have been made small.
"""
