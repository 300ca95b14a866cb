"""Items that look like people's tables, as DynamoDB JSON, the same for the same seed.

A maker yields items in the order a scan would give them: by the hash of the partition key, which
is no order at all, and within a partition by the sort key.
"""

from __future__ import annotations

import random
from base64 import b64encode
from itertools import accumulate
from pathlib import Path
from time import gmtime, strftime
from typing import Iterator

# English has its words by Zipf's law, and so has text made of these: the n-th comes 1/n as often.
WORDS = list(dict.fromkeys(Path(__file__).with_name("words.txt").read_text().split()))
WEIGHTS = list(accumulate(1 / (rank + 2.7) for rank in range(len(WORDS))))

CITIES = (
    "München Berlin Köln Wien Zürich Paris Lyon Marseille Madrid Sevilla Lisboa Porto Roma Milano "
    "London Leeds Dublin Oslo København Göteborg Helsinki Kraków Praha Budapest Athens İzmir 東京 大阪"
).split()
STREETS = (
    "Main Church Station Garden Mill Park Lake Hill Bridge Castle Market School Forest".split()
)
GIVEN = (
    "Anna Ben Chloé Daniel Elif Finn Grace Hugo Ines Jonas Kiran Léa Mateo Nora Omar Zoë".split()
)
FAMILY = "Müller Smith García Rossi Novák Jensen Silva Dubois Kowalski Yılmaz Tanaka Brown".split()
STATES = "pending paid packed shipped delivered delivered delivered returned cancelled".split()
TAGS = "gift express wholesale vip returning newsletter fragile preorder b2b sale".split()
METHODS = "card card card paypal invoice sepa voucher".split()
COLOURS = "black white red blue green grey silver gold".split()
EPOCH = 1_735_689_600  # 2025-01-01


def text(rng: random.Random, words: int) -> str:
    """Some sentences, escaped for JSON: now and then with a quotation or a line break in it."""
    chosen = rng.choices(WORDS, cum_weights=WEIGHTS, k=words)
    chosen[0] = chosen[0].capitalize()
    for at in range(11, words, 13):
        chosen[at] += "." if at % 2 else ".\\n"
    if words > 20 and rng.random() < 0.2:
        chosen[words // 2] = f'\\"{chosen[words // 2]}\\"'
    return " ".join(chosen)


def price(rng: random.Random) -> str:
    return f"{int(rng.paretovariate(1.2) * 500) % 200000 / 100:.2f}".rstrip("0").rstrip(".")


def blob(rng: random.Random, least: int, more: int) -> str:
    return b64encode(rng.randbytes(least + rng.randrange(more))).decode()


def order(rng: random.Random) -> str:
    """An order: nested lines and addresses, free text, a token. About 1.3 KB."""
    pick = rng.choice
    at = EPOCH + int(rng.random() * 55_000_000)
    lines = ",".join(
        f'{{"M":{{"sku":{{"S":"SKU-{rng.randrange(40000):06d}-{pick(COLOURS)[:2].upper()}"}},'
        f'"title":{{"S":"{text(rng, 3 + int(rng.random() * 5))}"}},'
        f'"quantity":{{"N":"{1 + int(rng.random() ** 3 * 6)}"}},"price":{{"N":"{price(rng)}"}},'
        f'"taxRate":{{"N":"{pick(("0.19", "0.07", "0.2"))}"}}}}}}'
        for _ in range(1 + int(rng.random() ** 2 * 5))
    )
    tags = "".join(f',"{tag}"' for tag in TAGS if rng.random() < 0.12)
    person = f"{pick(GIVEN)} {pick(FAMILY)}"
    history = ",".join(
        f'{{"M":{{"state":{{"S":"{state}"}},"at":{{"N":"{at + rng.randrange(400_000)}"}},'
        f'"by":{{"S":"{pick(("api", "api", "clerk-"))}{rng.randrange(60)}"}}}}}}'
        for state in STATES[: 1 + int(rng.random() * 4)]
    )
    optional = ""
    if tags:
        optional += f',"tags":{{"SS":[{tags[1:]}]}}'
    if rng.random() < 0.3:
        optional += f',"label":{{"B":"{blob(rng, 24, 120)}"}}'
    if rng.random() < 0.2:
        optional += ',"coupon":{"NULL":true}'
    return (
        f'{{"orderId":{{"S":"ord_{rng.getrandbits(104):026x}"}},'
        f'"customerId":{{"S":"cus_{rng.randrange(1 << 17) * 2654435761 & 0xFFFFFFFF:08x}"}},'
        f'"createdAt":{{"S":"{strftime("%Y-%m-%dT%H:%M:%S", gmtime(at))}Z"}},'
        f'"updatedAt":{{"N":"{at * 1000 + rng.randrange(90_000_000)}"}},'
        f'"status":{{"S":"{pick(STATES)}"}},"total":{{"N":"{price(rng)}"}},'
        f'"currency":{{"S":"{pick(("EUR", "EUR", "GBP", "CHF"))}"}},"lines":{{"L":[{lines}]}},'
        f'"history":{{"L":[{history}]}},'
        f'"shippingAddress":{{"M":{{"name":{{"S":"{person}"}},'
        f'"street":{{"S":"{1 + rng.randrange(240)} {pick(STREETS)} Street"}},'
        f'"city":{{"S":"{pick(CITIES)}"}},"postalCode":{{"S":"{rng.randrange(100000):05d}"}},'
        f'"location":{{"M":{{"lat":{{"N":"{rng.uniform(36, 60):.8g}"}},'
        f'"lon":{{"N":"{rng.uniform(-9, 30):.7g}"}}}}}}}}}},'
        f'"payment":{{"M":{{"method":{{"S":"{pick(METHODS)}"}},'
        f'"token":{{"S":"{rng.getrandbits(96):024x}"}},"last4":{{"S":"{rng.randrange(10000):04d}"}},'
        f'"captured":{{"BOOL":{pick(("true", "true", "false"))}}}}}}},'
        f'"note":{{"S":"{text(rng, 8 + int(rng.random() * 44))}"}}{optional}}}'
    )


def orders(rng: random.Random, count: int) -> Iterator[str]:
    return (order(rng) for _ in range(count))


def events(rng: random.Random, count: int) -> Iterator[str]:
    """What devices report, about 300 bytes each: a device's events stand together, by time."""
    pick, left = rng.choice, 0
    for _ in range(count):
        if left == 0:
            left = 20 + rng.randrange(130)
            device = f"dev-{rng.getrandbits(48):012x}"
            at = (EPOCH + rng.randrange(50_000_000)) * 1000
            firmware = f"{1 + rng.randrange(4)}.{rng.randrange(12)}.{rng.randrange(30)}"
            site = f"{pick(CITIES)}-{rng.randrange(40):02d}"
        left -= 1
        at += 1 + rng.randrange(600_000)
        extra = ""
        kind = rng.random()
        if kind < 0.3:
            extra = f',"message":{{"S":"{text(rng, 3 + rng.randrange(8))}"}}'
        elif kind < 0.4:
            extra = f',"frame":{{"B":"{blob(rng, 16, 48)}"}}'
        yield (
            f'{{"deviceId":{{"S":"{device}"}},"at":{{"N":"{at}"}},'
            f'"type":{{"S":"{pick(("reading", "reading", "reading", "alarm", "status"))}"}},'
            f'"value":{{"N":"{rng.gauss(21, 6):.5g}"}},"unit":{{"S":"celsius"}},'
            f'"battery":{{"N":"{rng.randrange(101)}"}},"rssi":{{"N":"-{40 + rng.randrange(60)}"}},'
            f'"firmware":{{"S":"{firmware}"}},"site":{{"S":"{site}"}},'
            f'"traceId":{{"S":"{rng.getrandbits(96):024x}"}},'
            f'"acknowledged":{{"BOOL":{pick(("true", "false"))}}}{extra}}}'
        )
