"""What a notebook shows, cell by cell."""


def kinds(notebook):
    """Return what each cell shows: streams, and the types of its last value."""
    return [
        [sorted(output.get("data", {"stream": None})) for output in cell["outputs"]]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
