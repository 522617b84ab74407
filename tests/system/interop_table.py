"""The table of the interoperability matrix as text: a row for each case and version, a column for
each peer, and the remarks below it, each once."""


class Cell:
    def __init__(self):
        self.word = "FAILED"  # until it passes
        self.remark = None

    def passes(self, remark=None):
        self.word, self.remark = "ok", remark

    def cannot(self, remark):
        self.word, self.remark = "-", remark


class Table:
    def __init__(self, title, columns):
        self.title = title
        self.columns = columns
        self.cells = {}  # (case, version): {peer: Cell}

    def cell(self, case, version, peer):
        return self.cells.setdefault((case, version), {}).setdefault(peer, Cell())

    def text(self):
        remarks = []

        def show(cell):
            if cell is None:
                return ""
            if cell.remark is None:
                return cell.word
            if cell.remark not in remarks:
                remarks.append(cell.remark)
            return f"{cell.word} [{remarks.index(cell.remark) + 1}]"

        lines = [[self.title, "TLS", *self.columns]]
        for (case, version), row in self.cells.items():
            lines.append([case, version, *(show(row.get(peer)) for peer in self.columns)])
        widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
        lines.insert(1, ["-" * width for width in widths])
        text = "\n".join("  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip()
                         for line in lines)
        notes = "".join(f"\n[{index}] {remark}" for index, remark in enumerate(remarks, 1))
        return text + ("\n" + notes if notes else "")
