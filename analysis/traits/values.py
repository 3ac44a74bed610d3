"""What a trait is, and which values of it each model has that lies on an edge.

A trait is read from what the hub tells now, by the model's name in the frame; only the licence is
kept by every look. An end of an edge that has no value reports nothing: it is not the empty set.

- ``task``, ``library``, ``license``: as declared, in lower case. A licence that states none
  (`analysis.traits.carrying.UNSTATED`) is none; ``other`` is a value, see `UNNAMED`.
- ``architecture``: model_type, else the first of the configuration's architectures.
- ``size_class``: the parameter count in classes (`SIZES`).
- ``dtype``: of a quantized model what its configuration or its tags say, else the element type of
  most parameters (``dtype_tags.csv``); of several the one with fewest bits.
- ``card_origin``: ``generated`` where the card says that a program wrote it (`SAYS_GENERATED`),
  else ``written``.
- ``language``, ``dataset``, ``region``: sets, as declared.
- ``tag``: set of free tags: those without a kind that are neither in ``auto_tags.csv`` nor what
  another trait of the same model holds (its task, library, architecture, licence, languages,
  dtype).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import pyarrow as pa
from pyarrow import csv

from analysis.study.measures import Study

# Two models that both say "other" may bind by two licences, so it has no place in an order.
UNNAMED = {"license": ("other",)}
SIZES = (
    (1e8, "under 0.1B"),
    (1e9, "0.1B to 1B"),
    (3e9, "1B to 3B"),
    (8e9, "3B to 8B"),
    (1.5e10, "8B to 15B"),
    (3.5e10, "15B to 35B"),
    (1e11, "35B to 100B"),
)
LARGEST = "100B and over"
# What cards say that a program wrote: the Trainer, Keras, training scripts of diffusers, the empty
# template of transformers, AutoTrain and AutoNLP. Templates that do not say so are not here.
SAYS_GENERATED = (
    "generated automatically",
    "automatically generated",
    "Trained Using AutoTrain",
    "Trained Using AutoNLP",
    "generated_from_trainer",
    "generated_from_keras_callback",
)


@dataclass(frozen=True)
class Trait:
    """A trait that takes values.

    Attributes
    ----------
    sql
        SELECT of (node, value) of ``related`` models; blank values and doubles are taken out later.
    is_set
        Whether a model may have several values.
    looked
        Whether looks keep it, so that the parent's value at the child's creation may be known.
    """

    name: str
    sql: str
    is_set: bool = False
    looked: bool = False


def _column(expression: str) -> str:
    return f"select node, {expression} as value from related"  # noqa: S608


def _declared(relation: str, column: str) -> str:
    return f"select node, {column} as value from related join main.{relation} using (repo_id)"  # noqa: S608


def _size_class() -> str:
    steps = " ".join(f"when parameter_count < {limit:.0f} then '{name}'" for limit, name in SIZES)
    largest = f"when parameter_count is not null then '{LARGEST}'"
    return f"case when parameter_count <= 0 then null {steps} {largest} end"


DTYPE = """
with spelled as (
    select node, tag_value as spelling, 1 as place
    from related join main.model_tag using (repo_id)
    where kind is null
    union all
    select node, coalesce(
        (config->>'$.quantization_config.bits') || '-bit',
        case
            when config->>'$.quantization_config.load_in_4bit' = 'true' then '4-bit'
            when config->>'$.quantization_config.load_in_8bit' = 'true' then '8-bit'
        end,
        config->>'$.quantization_config.quant_method'
    ) as spelling, 1 as place
    from metadata
    where contains(config, '"quantization_config"')
    union all
    select node, arg_max(element.key, (try_cast(element.value as hugeint), element.key)), 2
    from (
        select node, unnest(map_entries(cast(parameters as map(varchar, varchar)))) as element
        from (
            select node, safetensors->'parameters' as parameters
            from metadata
            where contains(safetensors, '"parameters"')
        )
        where json_type(parameters) = 'OBJECT'
    )
    where try_cast(element.value as hugeint) is not null  -- null would be the most
    group by node
)
select node, arg_min(dtype, (place, bits, dtype)) as value
from spelled
join dtype_tag on dtype_tag.spelling = lower(trim(spelled.spelling))
group by node
"""
FREE_TAG = """
with own as (
    select node, tag, position
    from related join main.model_tag using (repo_id)
    where kind is null and tag not in (select tag from auto_tag)
)
select own.node, own.tag as value
from own
join related using (node)
left join main.model_language as spoken
    on spoken.repo_id = related.repo_id and spoken.language = own.tag
where spoken.language is null
    and lower(own.tag) is distinct from lower(pipeline_tag)
    and lower(own.tag) is distinct from lower(library_name)
    and lower(own.tag) is distinct from lower(model_type)
    and lower(own.tag) is distinct from lower(architecture)
    and lower(own.tag) is distinct from lower(license)
    and lower(own.tag) not in (select spelling from dtype_tag)
"""
REGION = """
select node, tag_value as value
from related join main.model_tag using (repo_id)
where kind = 'region'
"""
CARD_ORIGIN = """
select node, case when is_generated then 'generated' else 'written' end as value from card_read
"""
TRAITS = (
    Trait("task", _column("lower(pipeline_tag)")),
    Trait("library", _column("lower(library_name)")),
    Trait("license", _column("lower(license)"), looked=True),
    Trait("architecture", _column("coalesce(nullif(trim(model_type), ''), architecture)")),
    Trait("size_class", _column(_size_class())),
    Trait("dtype", DTYPE),
    Trait("card_origin", CARD_ORIGIN),
    Trait("language", _declared("model_language", "lower(language)"), is_set=True),
    Trait("dataset", _declared("model_dataset", "dataset_id"), is_set=True),
    Trait("region", REGION, is_set=True),
    Trait("tag", FREE_TAG, is_set=True),
)
RELATED = """
create or replace temp table related as
select node, repo_id, license, pipeline_tag, library_name, model_type, architecture, parameter_count
from node
where node in (select child from kin union select parent from kin)
"""
METADATA = """
create or replace temp table metadata as
select node, config, safetensors
from related join main.model_metadata using (repo_id)
where contains(other_fields, '"quantization_config"') or contains(other_fields, '"parameters"')
"""
CARD_READ = """
create or replace temp table card_read as
select node, character_count, {says} as is_generated
from related join main.card using (repo_id)
""".format(says=" or ".join(f"contains(text, '{phrase}')" for phrase in SAYS_GENERATED))


def lay_ground(study: Study) -> None:
    """Make the tables that traits are read from.

    ``related``: ``node`` of the models on an edge. ``metadata``: of those that tell of quantization
    or element types, config and safetensors. ``card_read``: node, character_count, is_generated.
    ``auto_tag`` and ``dtype_tag``: as the files of that name.
    """
    for table in (RELATED, METADATA, CARD_READ):
        study.db.execute(table)
    for name in ("auto_tag", "dtype_tag"):
        study.db.register(f"{name}_rows", read_table(f"{name}s"))
        study.db.execute(f"create or replace temp table {name} as from {name}_rows")
        study.db.unregister(f"{name}_rows")


def read_table(name: str) -> pa.Table:
    """A table that the wheel holds beside this module: ``NAME.csv``."""
    with (resources.files("analysis.traits") / f"{name}.csv").open("rb") as file:
        return csv.read_csv(file, convert_options=csv.ConvertOptions(strings_can_be_null=False))
