"""Reads a folder of tables with other programs: python3 read_back.py FOLDER."""

import csv
import datetime
import json
import os
import sys

import frictionless
import openpyxl
import pyarrow.parquet

folder = sys.argv[1]
os.chdir(folder)
package = json.load(open("datapackage.json", encoding="utf-8"))

# The package by its standard, and the rows of every CSV file by its schema.
errors = frictionless.Package.metadata_validate(package)
errors = [error.message for error in errors]
assert not errors, errors
texts = [resource for resource in package["resources"] if resource["format"] in ("csv", "jsonl", "xlsx")]
for resource in texts:
    if os.path.getsize(resource["path"]) == 0:
        # frictionless cannot read JSON lines without a line.
        continue
    report = frictionless.validate(frictionless.Resource.from_descriptor(resource))
    assert report.valid, (resource["path"], report.flatten(["rowNumber", "fieldName", "message"]))
print(f"{len(texts)} resources are valid for frictionless {frictionless.__version__}")

# The same texts in the metadata of Parquet columns.
columns = 0
for resource in package["resources"]:
    if resource["format"] != "parquet":
        continue
    schema = pyarrow.parquet.read_schema(resource["path"])
    fields = resource["schema"]["fields"]
    assert schema.names == [field["name"] for field in fields], resource["path"]
    for field in fields:
        wanted = {key: field[key] for key in ("description", "unit", "null_rule") if key in field}
        read = {key.decode(): value.decode() for key, value in (schema.field(field["name"]).metadata or {}).items()}
        read = {key: value for key, value in read.items() if not key.startswith("PARQUET:")}
        assert read == wanted, (resource["path"], field["name"], read)
        columns += 1
if columns:
    assert str(pyarrow.parquet.read_table("costs.parquet").schema.field("price_date").type) == "date32[day]"
    print(f"{columns} columns carry their meaning for pyarrow {pyarrow.__version__}")

# The sheets of the workbook, cell by cell as in the files of CSV.
def cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, (int, float)):
        return float(value)
    return value


def of_csv(text, value):
    return float(text) if isinstance(value, float) else text


if os.path.exists("tables.xlsx"):
    book = openpyxl.load_workbook("tables.xlsx")
    assert book.properties.created.year == 2000
    cells = 0
    for sheet in book:
        with open(f"{sheet.title}.csv", encoding="utf-8", newline="") as file:
            wanted = list(csv.reader(file))
        rows = [[cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        assert len(rows) == len(wanted), sheet.title
        for row, line in zip(rows, wanted):
            line = [of_csv(text, value) for text, value in zip(line, row)]
            assert row == line, (sheet.title, row, line)
            cells += len(row)
    print(f"{cells} cells of {book.sheetnames} are those of CSV for openpyxl {openpyxl.__version__}")
