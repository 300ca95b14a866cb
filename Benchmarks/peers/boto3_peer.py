"""What one would write with boto3 in eight processes; zstd compresses beside each.

    boto3_peer.py dump TABLE DIRECTORY LEVEL
    boto3_peer.py load TABLE DIRECTORY

A dump is a file of zstd a process, with lines {"Item":…}; a load takes any such files.
"""

import base64
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import boto3

PROCESSES = 8
BATCH = 25


def encode(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value))


def decode(value: dict) -> dict:
    if isinstance(value.get("B"), str):
        value["B"] = base64.b64decode(value["B"])
    return value


def dump(table: str, directory: str, level: str, segment: int) -> None:
    client = boto3.client("dynamodb")
    with open(f"{directory}/{segment:05d}.ndjson.zst", "wb") as file:
        zstd = subprocess.Popen(["zstd", f"-q{level}"], stdin=subprocess.PIPE, stdout=file)
        pages = client.get_paginator("scan").paginate(
            TableName=table, Segment=segment, TotalSegments=PROCESSES
        )
        for page in pages:
            for item in page["Items"]:
                line = json.dumps({"Item": item}, default=encode, separators=(",", ":"))
                zstd.stdin.write(line.encode() + b"\n")
        zstd.stdin.close()
        if zstd.wait() != 0:
            raise RuntimeError("zstd failed")


def load(table: str, path: str) -> None:
    client = boto3.client("dynamodb")
    zstd = subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE)
    puts = []
    for line in zstd.stdout:
        puts.append({"PutRequest": json.loads(line, object_hook=decode)})
        if len(puts) == BATCH:
            write(client, table, puts)
            puts = []
    if puts:
        write(client, table, puts)
    if zstd.wait() != 0:
        raise RuntimeError("zstd failed")


def write(client, table: str, puts: list) -> None:
    requests = {table: puts}
    while requests:
        requests = client.batch_write_item(RequestItems=requests)["UnprocessedItems"]


def main() -> None:
    command, table, directory = sys.argv[1:4]
    with ProcessPoolExecutor(PROCESSES) as pool:
        if command == "dump":
            os.makedirs(directory)
            jobs = [
                pool.submit(dump, table, directory, sys.argv[4], segment)
                for segment in range(PROCESSES)
            ]
        else:
            names = sorted(os.listdir(directory))
            jobs = [pool.submit(load, table, f"{directory}/{name}") for name in names]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    main()
