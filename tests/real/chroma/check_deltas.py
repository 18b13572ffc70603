"""Opens each delta under a folder with Chroma and checks what it gives back. Run by check_deltas.sh."""

import json
import logging
import sqlite3
import struct
import sys
import tarfile
import tempfile
from pathlib import Path

import chromadb
from chromadb.config import Settings

# Chroma logs an error for each event that it can't send, also when it is told to send none.
logging.getLogger("chromadb.telemetry").setLevel(logging.CRITICAL)

# What the known consumer takes in one go.
DELTAS_TOGETHER = 10

# docs/data_model.md §2: what the readers of a collection rely on. Coordinates may be int or float.
NUMBER = (int, float)
FIELD_TYPES = {
    "receipt_id": (str,),
    "image_id": (str,),
    "text": (str,),
    "line_id": (int,),
    "word_id": (int,),
    "word_count": (int,),
    "x": (float,),
    "y": (float,),
    "width": (float,),
    "height": (float,),
    "confidence": (float,),
    "avg_word_confidence": (float,),
    "angle_degrees": (float,),
    "merchant_name": (str,),
    "validated_labels": (str,),
    "invalid_labels": (str,),
}

# Chroma's JSON reader is off by one unit in the last place for about one float in ten, its own included.
FLOAT_READING = 2**-51

# How far a float32 squared distance of a vector to itself may be from 0.
SAME_VECTOR = 1e-6


class Wrong(Exception):
    """What a delta does not do as it should."""


def require(condition, message):
    if not condition:
        raise Wrong(message)


def extract(archive, folder):
    with tarfile.open(archive, "r:gz") as tar:
        names = [name.removeprefix("./") for name in tar.getnames()]
        require("chroma.sqlite3" in names, f"no chroma.sqlite3 at the root, but {names}")
        tar.extractall(folder)


def queued(folder):
    """The records as the archive's own queue has them, before Chroma has touched the file."""
    database = sqlite3.connect(folder / "chroma.sqlite3")
    rows = database.execute("SELECT id, vector, metadata FROM embeddings_queue ORDER BY seq_id")
    records = []
    for identifier, vector, text in rows:
        metadata = json.loads(text)
        document = metadata.pop("chroma:document")
        numbers = list(struct.unpack(f"<{len(vector) // 4}f", vector))
        records.append(dict(id=identifier, document=document, metadata=metadata, vector=numbers))
    database.close()
    return records


def expectation(archive, folder):
    """From expected.json where there is one; its vectors are optional, then the queue's are taken."""
    records = queued(folder)
    path = archive.with_name("expected.json")
    if path.exists():
        vectors = {record["id"]: record["vector"] for record in records}
        records = json.loads(path.read_text(encoding="utf-8"))
        for record in records:
            require(record["id"] in vectors, f"{record['id']} is not in the archive")
            record.setdefault("vector", vectors[record["id"]])
    return records


def open_collection(client, archive):
    # A list of names in some versions of Chroma, of collections in others.
    names = [getattr(item, "name", item) for item in client.list_collections()]
    require(len(names) == 1, f"collections {names} instead of one")
    parents = [part for part in archive.parts if part in ("lines", "words")]
    allowed = parents[-1:] or ["lines", "words"]
    require(names[0] in allowed, f"the collection is called {names[0]}, not {' or '.join(allowed)}")
    # As its consumers do: by name, without an embedding function.
    return client.get_collection(names[0], embedding_function=None)


def check_records(collection, records):
    """Returns id → metadata as Chroma has it."""
    require(collection.count() == len(records), f"count {collection.count()}, not {len(records)}")
    got = collection.get(include=["documents", "metadatas", "embeddings"])
    by_id = dict(zip(got["ids"], zip(got["documents"], got["metadatas"], got["embeddings"])))
    wanted = {record["id"] for record in records}
    require(set(by_id) == wanted, f"{len(set(by_id) ^ wanted)} ids differ")
    for record in records:
        identifier = record["id"]
        document, metadata, vector = by_id[identifier]
        require(document == record["document"], f"{identifier}: another document")
        check_metadata(identifier, metadata or {}, record["metadata"])
        require(list(map(float, vector)) == record["vector"], f"{identifier}: another vector")
    return {identifier: metadata or {} for identifier, (_, metadata, _) in by_id.items()}


def check_metadata(identifier, metadata, wanted):
    require(set(metadata) == set(wanted), f"{identifier}: fields {sorted(set(metadata) ^ set(wanted))}")
    for field, value in wanted.items():
        got = metadata[field]
        require(
            type(got) is type(value),
            f"{identifier}: {field} is a {type(got).__name__}, not a {type(value).__name__}",
        )
        off = abs(got - value) > abs(value) * FLOAT_READING if type(value) is float else got != value
        require(not off, f"{identifier}: {field} has another value")
        types = FIELD_TYPES.get(field)
        require(
            types is None or type(got) in types,
            f"{identifier}: {field} is a {type(got).__name__}, against the data model",
        )


def check_filters(collection, metadatas):
    """For each field, a value that occurs: exactly the records with it, and those above it."""
    for field in sorted({field for metadata in metadatas.values() for field in metadata}):
        values = {i: metadata[field] for i, metadata in metadatas.items() if field in metadata}
        value = sorted(values.values())[len(values) // 2]
        equal = {identifier for identifier, other in values.items() if other == value}
        check_filter(collection, field, value, equal)
        if type(value) in NUMBER:
            above = {identifier for identifier, other in values.items() if other > value}
            # As a float, also for a field of ints: Chroma compares across the two.
            check_filter(collection, field, {"$gt": float(value)}, above)
    check_filter(collection, "image_id", "no such image", set())


def check_filter(collection, field, condition, wanted):
    found = set(collection.get(where={field: condition}, include=[])["ids"])
    require(found == wanted, f"where {field}: {len(found)} found, {len(wanted)} wanted")


def check_neighbours(collection, records):
    for start in range(0, len(records), 100):
        part = records[start : start + 100]
        answer = collection.query(
            query_embeddings=[record["vector"] for record in part],
            n_results=1,
            include=["distances"],
        )
        for record, ids, distances in zip(part, answer["ids"], answer["distances"]):
            # Another record may come first, but only one with the same vector.
            require(
                ids[:1] == [record["id"]] or (ids and distances[0] <= SAME_VECTOR),
                f"{record['id']}: its vector does not find it first",
            )
            require(distances[0] <= SAME_VECTOR, f"{record['id']}: distance {distances[0]} to itself")


def check(archive):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        extract(archive, folder)
        records = expectation(archive, folder)
        client = chromadb.PersistentClient(name, Settings(anonymized_telemetry=False))
        collection = open_collection(client, archive)
        check_filters(collection, check_records(collection, records))
        check_neighbours(collection, records)
        return collection.name, len(records)


def collection_name(archive):
    names = [part for part in archive.parts if part in ("lines", "words")]
    return names[-1] if names else "any"


def merge(archives, target):
    """
    Reads deltas as the known consumer does: in this one process, each extracted over the one before into the SAME
    folder, opened with a new client, and all that is found is upserted. Returns the records that were merged.
    """
    merged = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for archive in archives:
            extract(archive, folder)
            records = expectation(archive, folder)
            client = chromadb.PersistentClient(name, Settings(anonymized_telemetry=False))
            collection = open_collection(client, archive)
            try:
                check_records(collection, records)
            except Wrong as wrong:
                raise Wrong(f"{archive.parent.name}: {wrong}") from wrong
            if records:
                upsert(target, collection, len(records[0]["vector"]))
            merged += len(records)
    return merged


def upsert(target, collection, dimensions):
    found = collection.get(include=["documents", "metadatas", "embeddings"])
    ids = found["ids"]
    into = target.get_or_create_collection(f"{collection.name}-{dimensions}", embedding_function=None)
    into.upsert(
        ids=ids,
        documents=found["documents"],
        metadatas=found["metadatas"],
        embeddings=found["embeddings"],
    )
    require(len(into.get(ids=ids, include=[])["ids"]) == len(ids), "not all of it arrived")


def merge_all(archives):
    """Ten by ten of each collection. Returns how many of these tens failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        target = chromadb.PersistentClient(name, Settings(anonymized_telemetry=False))
        for collection in ("lines", "words"):
            of_collection = [each for each in archives if collection_name(each) == collection]
            for start in range(0, len(of_collection), DELTAS_TOGETHER):
                part = of_collection[start : start + DELTAS_TOGETHER]
                what = f"{len(part)} deltas of {collection} one after the other"
                try:
                    print(f"passed  {what}  {merge(part, target)} records merged", flush=True)
                except Exception as error:  # As below.
                    failed += 1
                    print(f"FAILED  {what}  {type(error).__name__}: {error}", flush=True)
    return failed


def check_all(root, archives):
    """Each in a folder of its own. Returns how many failed."""
    failed = 0
    for archive in archives:
        try:
            name, count = check(archive)
            print(f"passed  {archive.relative_to(root)}  {name}, {count} records", flush=True)
        except Exception as error:  # Chroma raises errors of many kinds; each is a failed delta.
            failed += 1
            print(f"FAILED  {archive.relative_to(root)}  {type(error).__name__}: {error}", flush=True)
    print(f"{len(archives) - failed} passed, {failed} failed", flush=True)
    return failed


def main(root, together):
    archives = sorted(root.rglob("*.tar.gz"))
    if not archives:
        print(f"no *.tar.gz under {root}", file=sys.stderr)
    failed = merge_all(archives) if together else check_all(root, archives)
    return 1 if failed or not archives else 0


sys.exit(main(Path(sys.argv[1]).resolve(), "--together" in sys.argv))
