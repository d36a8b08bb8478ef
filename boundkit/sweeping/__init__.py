"""Many checkpoints: found, analyzed once each by several processes, put in one table.

A sweep leaves a folder: ``sweep.json`` says with which options, ``sources.jsonl`` which
checkpoints belong to it, ``results/`` has one report for each content, ``journal.jsonl``
one line for each checkpoint that was looked at. The table is derived from these.
"""
