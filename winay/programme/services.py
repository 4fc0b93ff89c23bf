"""What a record proves: a service is recognised in the items of one contact by a matcher (design 4.1)."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from winay.core.text import say
from winay.programme.legal import Legal, Reading, Words
from winay.programme.yaml_text import Listed, Named, Names, Written


class Condition(Written):
    """A closed range of a measured value; `below` is open."""

    from_: float | None = Field(None, alias="from")
    to: float | None = None
    below: float | None = None


class Matcher(Written):
    """When an item proves a service. All that is written must hold for the same item.

    code: any listed; type, lab: some row of the item has a listed value; lab_not: none has; with_, without: some (no)
    other item of the contact is matched; value: measurements on the item's rows; provider: attributes of its facility,
    each in a list; is_: another service; all_, any_: combined on the same item. Without `type`, the programme's
    `counted_types` hold for a matcher that names codes.
    """

    code: Listed[str] | None = None
    type: Listed[str] | None = None
    lab: Listed[str] | None = None
    lab_not: Listed[str] | None = None
    with_: Listed["Matcher"] | None = Field(None, alias="with")
    without: Listed["Matcher"] | None = None
    value: Named[Condition] | None = None
    provider: Annotated[Named[Listed[str]] | None, Names("attribute of the facility")] = None
    is_: Annotated[str | None, Names("service")] = Field(None, alias="is")
    all_: list["Matcher"] | None = Field(None, alias="all")
    any_: list["Matcher"] | None = Field(None, alias="any")
    name: Words | None = None
    product: Annotated[str | None, Names("product")] = None
    legal: Legal | None = None
    reading: Listed[Reading] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"at", "name", "product", "legal", "reading"}:
            raise ValueError(say("a matcher names at least a code, `is`, `any` or `all`"))
        return self

    def parts(self) -> list["Matcher"]:
        return [*(self.with_ or []), *(self.without or []), *(self.all_ or []), *(self.any_ or [])]
