"""Tables of many nets: lines through them, and which measure orders their errors.

``regressing.regress`` fits one column against another; ``ranking.rank_measures`` compares
all measures of a sweep. Both take a frame, a table file or the folder of a sweep.
"""
