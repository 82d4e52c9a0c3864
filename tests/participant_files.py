"""Participant-wise files in the exchange's layout; every number in them is made up."""

HEADER = (
    "Client Type,Future Index Long,Future Index Short,Future Stock Long,Future Stock Short,Option Index Call Long,"
    "Option Index Put Long,Option Index Call Short,Option Index Put Short,Option Stock Call Long,Option Stock Put Long,"
    "Option Stock Call Short,Option Stock Put Short,Total Long Contracts,Total Short Contracts"
)
LABELS = ("Client", "DII", "FII", "Pro", "TOTAL")
_NUMBERS = {
    "Client": (200, 10, 100100, 300100, 900, 800, 850, 950, 70, 60, 90, 80),
    "DII": (40, 5, 50, 500050, 10, 20, 0, 5, 1, 9, 20, 3),
    "FII": (30, 270, 600000, 50, 400, 500, 450, 350, 30, 40, 20, 25),
    "Pro": (30, 15, 100150, 100, 290, 180, 300, 195, 99, 41, 70, 42),
}


def participant_file(
    title: str,
    *,
    header: str = HEADER,
    labels: tuple[str, ...] = LABELS,
    changes: dict[tuple[str, int], str] | None = None,
) -> str:
    """Write a day; ``changes`` puts a text in place of the cell of a label and a column (0 is the label)."""
    numbers = {label: list(values) for label, values in _NUMBERS.items()}
    numbers["TOTAL"] = [sum(values) for values in zip(*_NUMBERS.values())]
    long = (0, 2, 4, 5, 8, 9)
    lines = [title, header]
    for label in labels:
        values = numbers[label]
        bought = sum(values[place] for place in long)
        cells = [label, *map(str, values), str(bought), str(sum(values) - bought)]
        for (of, column), text in (changes or {}).items():
            if of == label:
                cells[column] = text
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"
