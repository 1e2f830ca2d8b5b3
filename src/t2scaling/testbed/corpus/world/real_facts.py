"""Facts about the real world, as `subject=value` lists by relation. Every pair is common knowledge and stable."""

from __future__ import annotations

_CAPITALS = """
Egypt=Cairo France=Paris Italy=Rome Spain=Madrid Japan=Tokyo China=Beijing Russia=Moscow Germany=Berlin
Greece=Athens Portugal=Lisbon Austria=Vienna Poland=Warsaw Sweden=Stockholm Norway=Oslo Finland=Helsinki
Denmark=Copenhagen Ireland=Dublin England=London Scotland=Edinburgh Wales=Cardiff Belgium=Brussels Hungary=Budapest
Romania=Bucharest Bulgaria=Sofia Croatia=Zagreb Serbia=Belgrade Ukraine=Kyiv Latvia=Riga Estonia=Tallinn
Lithuania=Vilnius Iceland=Reykjavik Turkey=Ankara Iran=Tehran Iraq=Baghdad Syria=Damascus Jordan=Amman
Lebanon=Beirut Kenya=Nairobi Ghana=Accra Senegal=Dakar Morocco=Rabat Algeria=Algiers Tunisia=Tunis Libya=Tripoli
Sudan=Khartoum Uganda=Kampala Rwanda=Kigali Zambia=Lusaka Zimbabwe=Harare Angola=Luanda Nigeria=Abuja Mali=Bamako
Cuba=Havana Canada=Ottawa Peru=Lima Chile=Santiago Colombia=Bogota Ecuador=Quito Uruguay=Montevideo
Paraguay=Asuncion Venezuela=Caracas Jamaica=Kingston Nepal=Kathmandu Thailand=Bangkok Vietnam=Hanoi
Mongolia=Ulaanbaatar Cambodia=Phnom_Penh Laos=Vientiane Philippines=Manila Malaysia=Kuala_Lumpur Bangladesh=Dhaka
Pakistan=Islamabad Afghanistan=Kabul Australia=Canberra Fiji=Suva Qatar=Doha Oman=Muscat
"""

_CONTINENTS = """
Egypt=Africa France=Europe Italy=Europe Spain=Europe Japan=Asia China=Asia Germany=Europe Greece=Europe
Portugal=Europe Poland=Europe Sweden=Europe Norway=Europe Ireland=Europe Hungary=Europe Kenya=Africa Ghana=Africa
Senegal=Africa Morocco=Africa Algeria=Africa Uganda=Africa Rwanda=Africa Zambia=Africa Angola=Africa Nigeria=Africa
Nepal=Asia Thailand=Asia Vietnam=Asia Mongolia=Asia Laos=Asia Pakistan=Asia Iran=Asia Iraq=Asia Mali=Africa
Latvia=Europe
"""

_YOUNG = """
dog=puppy cat=kitten cow=calf horse=foal sheep=lamb pig=piglet hen=chick duck=duckling goose=gosling lion=cub
goat=kid deer=fawn kangaroo=joey frog=tadpole swan=cygnet owl=owlet bear=cub elephant=calf whale=calf
butterfly=caterpillar
"""

_SOUNDS = """
dog=barks cat=meows cow=moos horse=neighs sheep=bleats duck=quacks lion=roars owl=hoots bee=buzzes snake=hisses
wolf=howls frog=croaks donkey=brays crow=caws mouse=squeaks pigeon=coos turkey=gobbles elephant=trumpets
cricket=chirps
"""

_CLASSES = """
whale=mammal dolphin=mammal bat=mammal horse=mammal rabbit=mammal tiger=mammal monkey=mammal squirrel=mammal
seal=mammal eagle=bird penguin=bird sparrow=bird owl=bird ostrich=bird parrot=bird robin=bird heron=bird falcon=bird
gull=bird salmon=fish trout=fish tuna=fish shark=fish cod=fish herring=fish carp=fish pike=fish eel=fish
snake=reptile lizard=reptile turtle=reptile crocodile=reptile tortoise=reptile gecko=reptile frog=amphibian
toad=amphibian newt=amphibian salamander=amphibian ant=insect bee=insect beetle=insect butterfly=insect moth=insect
wasp=insect fly=insect mosquito=insect dragonfly=insect
"""

_KINDS = """
oak=tree pine=tree birch=tree maple=tree willow=tree rose=flower tulip=flower daisy=flower lily=flower violet=flower
apple=fruit pear=fruit plum=fruit cherry=fruit grape=fruit mango=fruit carrot=vegetable cabbage=vegetable
turnip=vegetable spinach=vegetable hammer=tool saw=tool spade=tool wrench=tool violin=instrument flute=instrument
drum=instrument trumpet=instrument piano=instrument copper=metal gold=metal silver=metal iron=metal tin=metal
lead=metal zinc=metal
"""

_COLOURS = """
grass=green snow=white coal=black blood=red butter=yellow chocolate=brown milk=white banana=yellow carrot=orange
tomato=red lemon=yellow strawberry=red spinach=green ink=black salt=white ivory=white ruby=red emerald=green
sapphire=blue raven=black swan=white flamingo=pink canary=yellow
"""

_SOURCES = """
paper=wood bread=flour glass=sand cheese=milk butter=milk wine=grapes steel=iron leather=hides honey=nectar
flour=wheat chocolate=cocoa silk=cocoons yogurt=milk cider=apples raisins=grapes tofu=soybeans linen=flax
brass=copper charcoal=wood
"""

_OPPOSITES = """
hot=cold big=small fast=slow high=low long=short old=young rich=poor hard=soft wet=dry full=empty open=closed
light=dark early=late strong=weak thick=thin wide=narrow deep=shallow loud=quiet clean=dirty sweet=sour happy=sad
brave=afraid true=false near=far up=down left=right above=below inside=outside before=after first=last north=south
east=west buy=sell push=pull win=lose give=take begin=end float=sink arrive=leave awake=asleep
"""

_CURRENCIES = """
Japan=yen India=rupee China=yuan Russia=ruble England=pound Sweden=krona Norway=krone Poland=zloty Turkey=lira
Mexico=peso Thailand=baht Vietnam=dong Brazil=real Israel=shekel Hungary=forint Kenya=shilling Canada=dollar
France=euro Italy=euro
"""

_FOOD = """
panda=bamboo koala=leaves rabbit=grass squirrel=nuts monkey=fruit cow=grass anteater=ants owl=mice penguin=fish
seal=fish spider=flies bear=berries horse=hay hen=grain caterpillar=leaves shark=fish lion=meat wolf=meat
beaver=bark otter=fish
"""

_HOMES = """
bird=nest bee=hive spider=web rabbit=burrow bear=den dog=kennel horse=stable pig=sty king=palace monk=monastery
soldier=barracks hen=coop lion=den ant=anthill beaver=lodge fish=water camel=desert whale=ocean monkey=jungle
"""

_LEGS = """
dog=4 bird=2 spider=8 ant=6 snake=0 horse=4 crab=10 octopus=0 bee=6 lizard=4 hen=2 cow=4 scorpion=8 whale=0 beetle=6
"""

_NEXT = """
Monday=Tuesday Tuesday=Wednesday Wednesday=Thursday Thursday=Friday Friday=Saturday Saturday=Sunday Sunday=Monday
January=February February=March March=April April=May May=June June=July July=August August=September
September=October October=November November=December December=January spring=summer summer=autumn autumn=winter
winter=spring
"""

_WORKERS = """
bread=baker shoes=cobbler fish=fisherman milk=milkman sheep=shepherd horseshoes=blacksmith barrels=cooper
pots=potter suits=tailor hair=barber teeth=dentist pipes=plumber planes=pilot ships=captain books=librarian
crops=farmer bricks=mason
"""

_TABLES = {
    "capital": _CAPITALS,
    "continent": _CONTINENTS,
    "young": _YOUNG,
    "sound": _SOUNDS,
    "class": _CLASSES,
    "kind": _KINDS,
    "colour": _COLOURS,
    "source": _SOURCES,
    "opposite": _OPPOSITES,
    "currency": _CURRENCIES,
    "food": _FOOD,
    "home": _HOMES,
    "legs": _LEGS,
    "next": _NEXT,
    "worker": _WORKERS,
}


def real_facts() -> list[tuple[str, str, str]]:
    """All facts as (relation, subject, value), one relation after another."""
    pairs = ((relation, pair.split("=")) for relation, table in _TABLES.items() for pair in table.split())
    return [(relation, subject.replace("_", " "), value.replace("_", " ")) for relation, (subject, value) in pairs]
