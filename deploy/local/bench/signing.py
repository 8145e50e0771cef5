"""The other side of `make bench`: a document to sign, and pyHanko signing it with its key loaded once."""

import io
import random
import sys
import time

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers


def document(path):
    """About 57 KB: text of no meaning, the same on every run."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    words = random.Random(57)
    canvas = Canvas(path, pagesize=A4, invariant=1)
    for _ in range(15):
        for line in range(44):
            text = "".join(words.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(84))
            canvas.drawString(40, 800 - 17 * line, text)
        canvas.showPage()
    canvas.save()


def sign(path, key, certificate, rounds):
    """Prints the CPU seconds of one PAdES B-B signature."""
    with open(path, "rb") as file:
        content = file.read()
    signer = signers.SimpleSigner.load(key, certificate)
    metadata = signers.PdfSignatureMetadata(
        field_name="Measured", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )

    def once():
        return signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(content)), metadata, signer=signer)

    assert len(once().getvalue()) > len(content)
    start = time.process_time()
    for _ in range(rounds):
        once()
    print((time.process_time() - start) / rounds)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "document":
        document(*arguments)
    else:
        sign(*arguments[:3], int(arguments[3]))
