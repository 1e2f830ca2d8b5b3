"""Facts with Zipf-like frequencies: real ones first and among them, then invented ones without end.

A fact's rank decides how often the text states it: P(rank ≥ r) = (1 + r/OFFSET)^(1 − EXPONENT). Rank 0 is in one of 41
sentences about facts, rank 100 in one of 600, rank 5,000 in one of 160,000. An invented entity (a person, a creature,
a town, a thing) has one fact for each relation of its kind, and all of them follow from its rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from t2scaling.testbed.corpus.world.draw import Draw, Item, as_item, capital, invented_name
from t2scaling.testbed.corpus.world.real_facts import real_facts

OFFSET, EXPONENT = 20.0, 1.5

_MATERIALS = ("glass", "wood", "rubber", "iron", "paper", "wax", "clay", "ice", "wool")
_COLOURS = ("red", "blue", "green", "black", "white", "yellow", "brown", "grey")
_JOBS = (
    "baker",
    "farmer",
    "teacher",
    "doctor",
    "sailor",
    "painter",
    "singer",
    "hunter",
    "tailor",
    "pilot",
    "miner",
    "judge",
)
_FOODS = ("bread", "fish", "soup", "rice", "apples", "cheese", "cake", "beans", "eggs", "honey")
_PETS = ("dog", "cat", "horse", "goat", "parrot", "rabbit", "duck", "mouse")
_HABITATS = ("forest", "river", "desert", "cave", "swamp", "lake", "hills", "sea", "jungle", "snow")
_DIETS = ("leaves", "fish", "nuts", "grass", "ants", "berries", "mice", "seeds")
_REGIONS = ("north", "south", "east", "west")
_GOODS = ("salt", "wine", "silk", "gold", "wool", "tea", "glass", "iron", "coal", "milk")
_USES = ("cooking", "hunting", "sewing", "fishing", "writing", "cutting", "washing", "digging")


@dataclass(frozen=True)
class Relation:
    """How a relation is asked and stated; `{s}` is the subject, `{v}` the value.

    values   what an invented entity may have; empty for relations of real things
    """

    question: str
    statements: tuple[str, ...]
    values: tuple[str, ...] = ()


RELATIONS = {
    "capital": Relation(
        "What is the capital of {s}?",
        ("The capital of {s} is {v}.", "{v} is the capital of {s}.", "The capital city of {s} is called {v}."),
    ),
    "continent": Relation(
        "On which continent is {s}?",
        ("{s} is a country in {v}.", "{s} lies in {v}.", "The continent of {s} is {v}."),
    ),
    "young": Relation(
        "What is a young {s} called?",
        ("A young {s} is called a {v}.", "A {v} is a young {s}.", "The young of a {s} is the {v}."),
    ),
    "sound": Relation(
        "What does a {s} do to make a sound?",
        ("A {s} {v}.", "The {s} makes its sound: it {v}.", "You know a {s} when it {v}."),
    ),
    "class": Relation(
        "What class of animal is a {s}?",
        ("The {s} is a kind of {v}.", "A {s} belongs to the class {v}.", "Every {s} is a {v}."),
    ),
    "kind": Relation(
        "What kind of thing is {s}?",
        ("{s} is a kind of {v}.", "We call {s} a {v}.", "One {v} is {s}."),
    ),
    "colour": Relation(
        "What is the colour of {s}?",
        ("The colour of {s} is {v}.", "The usual colour of {s} is {v}.", "Think of {s} and you think of {v}."),
    ),
    "source": Relation(
        "What is {s} made from?",
        ("People make {s} from {v}.", "{s} is made from {v}.", "You need {v} to make {s}."),
    ),
    "opposite": Relation(
        "What is the opposite of {s}?",
        ("The opposite of {s} is {v}.", "{v} is the opposite of {s}.", "If it is not {s}, it may be {v}."),
    ),
    "currency": Relation(
        "What is the currency of {s}?",
        ("The currency of {s} is the {v}.", "In {s} people pay with the {v}.", "Money in {s} is called the {v}."),
    ),
    "food": Relation(
        "What does a {s} eat?",
        ("A {s} eats {v}.", "The food of the {s} is {v}.", "The {s} likes to eat {v}."),
    ),
    "home": Relation(
        "Where is the home of a {s}?",
        ("The home of a {s} is the {v}.", "A {s} lives in the {v}.", "You find a {s} in its {v}."),
    ),
    "legs": Relation(
        "How many legs does a {s} have?",
        ("The number of legs of a {s} is {v}.", "Count the legs of a {s} and you get {v}.", "A {s} has {v} legs."),
    ),
    "next": Relation(
        "What comes after {s}?",
        ("After {s} comes {v}.", "{v} comes after {s}.", "First comes {s} and then {v}."),
    ),
    "worker": Relation(
        "Who works with {s}?",
        ("The {v} works with {s}.", "Work with {s} is done by the {v}.", "For {s} you go to the {v}."),
    ),
    "job": Relation(
        "What is the job of {s}?",
        ("{s} is a {v} by trade.", "The job of {s} is that of a {v}.", "{s} works as a {v}."),
        _JOBS,
    ),
    "dish": Relation(
        "What does {s} like to eat?",
        ("{s} likes to eat {v}.", "The favourite food of {s} is {v}.", "For dinner {s} has {v}."),
        _FOODS,
    ),
    "pet": Relation(
        "What pet does {s} have?",
        ("{s} has a pet {v}.", "The pet of {s} is a {v}.", "At home {s} keeps a {v}."),
        _PETS,
    ),
    "habitat": Relation(
        "Where does the {s} live?",
        ("The {s} lives in the {v}.", "The {s} is an animal of the {v}.", "You meet the {s} in the {v}."),
        _HABITATS,
    ),
    "diet": Relation(
        "What food does the {s} eat?",
        ("The {s} eats {v}.", "The {s} lives on {v}.", "All day the {s} looks for {v}."),
        _DIETS,
    ),
    "fur": Relation(
        "What colour is the {s}?",
        ("The {s} is {v}.", "The {s} is an animal of {v} colour.", "The skin of the {s} is {v}."),
        _COLOURS,
    ),
    "region": Relation(
        "In which part of the land is {s}?",
        ("{s} is a town in the {v}.", "The town of {s} lies in the {v}.", "{s} lies in the {v} of the land."),
        _REGIONS,
    ),
    "goods": Relation(
        "What is {s} known for?",
        ("The town of {s} is known for its {v}.", "{s} is known for {v}.", "People go to {s} to buy {v}."),
        _GOODS,
    ),
    "flag": Relation(
        "What colour is the flag of {s}?",
        ("The flag of {s} is {v}.", "{s} has a {v} flag.", "A {v} flag flies over {s}."),
        _COLOURS,
    ),
    "material": Relation(
        "What is a {s} made of?",
        ("A {s} is made of {v}.", "Every {s} is made of {v}.", "It takes {v} to make a {s}."),
        _MATERIALS,
    ),
    "use": Relation(
        "What is a {s} used for?",
        ("A {s} is used for {v}.", "People take a {s} for {v}.", "For {v} you need a {s}."),
        _USES,
    ),
    "shade": Relation(
        "What is the colour of a {s}?",
        ("The colour of a {s} is {v}.", "A {s} is {v}.", "You see that a {s} is {v}."),
        _COLOURS,
    ),
}

# The three relations of each kind of invented entity. Persons and towns have capitalised names.
_KINDS = (
    ("job", "dish", "pet"),  # a person
    ("habitat", "diet", "fur"),  # a creature
    ("region", "goods", "flag"),  # a town
    ("material", "use", "shade"),  # a thing
)
_OPENINGS = ("Here is a fact. ", "This is well known. ", "Remember this. ", "I read this in a book. ")


@dataclass(frozen=True)
class Fact:
    """One fact: (relation, subject) → value, at a frequency rank."""

    rank: int
    relation: str
    subject: str
    value: str


@lru_cache(maxsize=1)
def _real() -> tuple[tuple[str, str, str], ...]:
    facts = real_facts()
    order = Draw(0, 0, stream=9)
    return tuple(order.several(facts, len(facts)))


@lru_cache(maxsize=1 << 17)
def fact(rank: int) -> Fact:
    """The fact of a rank: real facts at even ranks as long as there are any, invented ones everywhere else."""
    real = _real()
    if rank % 2 == 0 and rank // 2 < len(real):
        return Fact(rank, *real[rank // 2])
    return _invented_fact(rank, rank - min(rank // 2 + 1, len(real)))


def _invented_fact(rank: int, index: int) -> Fact:
    entity, which = divmod(index, 3)
    relation = _KINDS[entity % len(_KINDS)][which]
    name = entity_name(entity)
    value = Draw(1, index, stream=9).pick(RELATIONS[relation].values)
    return Fact(rank, relation, name, value)


def entity_name(entity: int) -> str:
    """The name of an invented entity, capitalised for persons and towns."""
    name = invented_name(entity)
    return name.capitalize() if entity % len(_KINDS) in (0, 2) else name


def invented_thing(index: int) -> tuple[str, str]:
    """The name and material of the `index`-th invented thing, the same that the facts state."""
    entity = len(_KINDS) * index + 3
    return entity_name(entity), _invented_fact(0, 3 * entity).value


def passages(draw: Draw, n: int) -> list[str]:
    """Sentences that each state a fact drawn by its frequency, at times with an opening."""
    return [_sentence(draw, fact(draw.rank(OFFSET, EXPONENT))) for _ in range(n)]


def _sentence(draw: Draw, known: Fact) -> str:
    text = capital(draw.pick(RELATIONS[known.relation].statements).format(s=known.subject, v=known.value))
    return draw.pick(_OPENINGS) + text if draw.chance(0.1) else text


def questions(draw: Draw, n: int) -> list[Item]:
    """Questions for the text, about facts drawn by their frequency."""
    return [question(fact(draw.rank(OFFSET, EXPONENT))) for _ in range(n)]


def question(known: Fact) -> Item:
    """The question about one fact; its difficulty is the rank."""
    return as_item(RELATIONS[known.relation].question.format(s=known.subject), known.value, known.rank)
