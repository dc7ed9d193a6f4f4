//! What written tables hold, for those who read them: `datapackage.json` (Data Package), and metadata of the columns of
//! Parquet files. Both follow from the catalogue.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "python")]
use polars::prelude::DataFrame;
use polars::prelude::{ArrowSchema, CompatLevel, DataType, PlSmallStr, Schema};
use serde::{Deserialize, Serialize};

use super::files::Format;
use super::workbook::WORKBOOK;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Column, GroupFigure, RoleColumn, Table};
use crate::named_file::{self, FileKind};
use crate::transcript::PACKAGE_NAME;

/// The file name of the package.
pub(super) const PACKAGE: &str = "datapackage.json";

/// The package: a resource for each table and format.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Package {
    name: Cow<'static, str>,
    pub(super) resources: Vec<Resource>,
}

impl Package {
    pub(super) fn new(resources: Vec<Resource>) -> Self {
        Self { name: PACKAGE_NAME.into(), resources }
    }

    /// The package in a folder of tables; without resources where there is none.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(PACKAGE);
        if !path.exists() {
            return Ok(Self::new(Vec::new()));
        }
        let bytes = named_file::read(&path, FileKind::Report)?;
        let wrong = |error| Error::invalid(format!("{} is not a package of tables: {error}", path.display()));
        serde_json::from_slice(&bytes).map_err(wrong)
    }

    /// Adds resources, in the place of those with the same name.
    pub(super) fn merge(&mut self, resources: Vec<Resource>) {
        for resource in resources {
            match self.resources.iter_mut().find(|known| known.name == resource.name) {
                Some(known) => *known = resource,
                None => self.resources.push(resource),
            }
        }
    }

    pub(super) fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self);
        Ok(json.map_err(|error| Error::invalid(format!("cannot write {PACKAGE}: {error}")))? + "\n")
    }
}

/// A file, or the files of a table in parts, whose rows stand one under the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum ResourcePath {
    File(String),
    Parts(Vec<String>),
}

/// One table in one format.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Resource {
    pub(super) name: String,
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    path: ResourcePath,
    format: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialect: Option<Dialect>,
    /// What one row stands for.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    description: Cow<'static, str>,
    schema: FieldList,
}

/// Which sheet of a workbook: as the standard says it, and as frictionless-py reads it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Dialect {
    #[serde(rename = "sheetName")]
    sheet_name: String,
    excel: Sheet,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sheet {
    sheet: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct FieldList {
    fields: Vec<Field>,
}

/// A column: type, heading, meaning, unit, null rule. The user's own columns have a type alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    title: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub(crate) description: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub(crate) unit: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub(crate) null_rule: Cow<'static, str>,
    /// Whether Parquet and Arrow say that it is never null.
    #[serde(skip)]
    never_null: bool,
}

/// A table in memory with what its columns mean.
#[cfg(feature = "python")]
#[derive(Debug, Clone)]
pub(crate) struct DescribedFrame {
    pub(crate) name: String,
    pub(crate) frame: DataFrame,
    resource: Resource,
}

#[cfg(feature = "python")]
impl DescribedFrame {
    /// A table of the catalogue, with the user's own columns where the frame has some.
    pub(crate) fn of_table(table: &'static Table, frame: DataFrame) -> Self {
        let resource = Resource::of_table(table, Format::Parquet, frame.schema());
        Self { name: table.name.to_owned(), frame, resource }
    }

    /// The table `rollup` or `calls_by_role`. `is_own` tells the user's own columns.
    pub(crate) fn new(name: &str, frame: DataFrame, is_own: &dyn Fn(&str) -> bool) -> Self {
        let resource = Resource::of_frame(name, Format::Parquet, frame.schema(), is_own);
        Self { name: name.to_owned(), frame, resource }
    }

    /// Its columns in order.
    pub(crate) fn fields(&self) -> &[Field] {
        &self.resource.schema.fields
    }

    /// The Arrow schema, as in Parquet files.
    pub(crate) fn arrow_schema(&self) -> ArrowSchema {
        self.resource.arrow_schema(self.frame.schema())
    }
}

impl Resource {
    /// A table of the catalogue, with the user's own columns where the schema has some.
    pub(super) fn of_table(table: &'static Table, format: Format, schema: &Schema) -> Self {
        let field = |field: Field| match table.column(&field.name) {
            Some(column) => Field { never_null: !column.can_be_null(), ..field.of_column(column) },
            None => field,
        };
        Self::new(table.name, table.grain, format, fields(schema).map(field).collect())
    }

    /// The table `rollup` or `calls_by_role`. `is_own` tells the user's own columns.
    pub(super) fn of_frame(table: &str, format: Format, schema: &Schema, is_own: &dyn Fn(&str) -> bool) -> Self {
        let is_rollup = table == "rollup";
        let field = |field: Field| {
            let name = field.name.clone();
            if is_own(&name) {
                field
            } else if is_rollup {
                GroupFigure::from_name(&name).map_or(field.clone(), |figure| field.of_figure(figure))
            } else {
                let column = CALLS.column(&name).filter(|_| name == "file");
                let column = column.or_else(|| RoleColumn::from_name(&name).map(|column| column.figure));
                column.map_or(field.clone(), |column| field.of_column(column))
            }
        };
        let grain = if is_rollup { "one row per group" } else { CALLS.grain };
        Self::new(table, grain, format, fields(schema).map(field).collect())
    }

    fn new(table: &str, grain: &'static str, format: Format, fields: Vec<Field>) -> Self {
        let name = format.file_of(table);
        let is_sheet = format == Format::Workbook;
        let sheet = || Dialect { sheet_name: table.to_owned(), excel: Sheet { sheet: table.to_owned() } };
        Self {
            path: ResourcePath::File(if is_sheet { WORKBOOK.to_owned() } else { name.clone() }),
            name,
            kind: "table".into(),
            format: format.extension().into(),
            encoding: (!is_sheet && format != Format::Parquet).then_some("utf-8".into()),
            dialect: is_sheet.then(sheet),
            description: grain.into(),
            schema: FieldList { fields },
        }
    }

    /// The same table in part files.
    pub(super) fn in_parts(self, parts: Vec<String>) -> Self {
        Self { path: ResourcePath::Parts(parts), ..self }
    }

    /// Whether its files are in a folder of tables.
    pub(super) fn is_in(&self, folder: &Path) -> bool {
        match &self.path {
            ResourcePath::File(path) => folder.join(path).is_file(),
            ResourcePath::Parts(parts) => parts.iter().all(|part| folder.join(part).is_file()),
        }
    }

    /// The Arrow schema of a Parquet file, whose fields carry `description`, `unit` and `null_rule`.
    pub(super) fn arrow_schema(&self, schema: &Schema) -> ArrowSchema {
        let fields = schema.iter().zip(&self.schema.fields).map(|((name, dtype), field)| {
            let mut arrow = dtype.to_arrow_field(name.clone(), CompatLevel::newest());
            arrow.is_nullable = !field.never_null;
            let entries = [("description", &field.description), ("unit", &field.unit), ("null_rule", &field.null_rule)];
            for (key, value) in entries.into_iter().filter(|(_, value)| !value.is_empty()) {
                let metadata = Arc::make_mut(arrow.metadata.get_or_insert_default());
                metadata.insert(PlSmallStr::from_static(key), PlSmallStr::from_str(value));
            }
            (name.clone(), arrow)
        });
        fields.collect()
    }
}

/// The columns of a schema with nothing but their types.
fn fields(schema: &Schema) -> impl Iterator<Item = Field> {
    schema.iter().map(|(name, dtype)| Field {
        name: name.to_string(),
        kind: kind(dtype).into(),
        title: Cow::default(),
        description: Cow::default(),
        unit: Cow::default(),
        null_rule: Cow::default(),
        never_null: false,
    })
}

/// The type by the names of Data Package.
fn kind(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Boolean => "boolean",
        DataType::Date => "date",
        DataType::Decimal(..) => "number",
        dtype if dtype.is_integer() => "integer",
        dtype if dtype.is_float() => "number",
        _ => "string",
    }
}

impl Field {
    fn of_column(self, column: &'static Column) -> Self {
        Self {
            title: column.label(),
            description: column.meaning.into(),
            unit: column.unit.name().into(),
            null_rule: column.null_rule().into(),
            ..self
        }
    }

    fn of_figure(self, figure: GroupFigure) -> Self {
        Self {
            title: figure.label.into(),
            description: figure.meaning.into(),
            unit: figure.unit.name().into(),
            null_rule: figure.null_rule.into(),
            ..self
        }
    }
}
