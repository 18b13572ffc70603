"""Holds S3 Vectors' stand-in against the service model of AWS; see check_s3_vectors.sh --help."""

import copy
import json
import re
import subprocess
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader
from botocore.model import ServiceModel

SERVICE = ServiceModel(Loader().load_service_model("s3vectors", "service-2"), "s3vectors")

INDEX = {"vectorBucketName": "vectors", "indexName": "lines"}
VECTOR = {"float32": [1, 0.5]}
PUT = {**INDEX, "vectors": [{"key": "a", "data": VECTOR, "metadata": {"n": 1, "text": "x", "tags": ["y"]}}]}
# A right request of each operation, in an order in which each finds what it needs.
RIGHT = [
    ("CreateVectorBucket", {"vectorBucketName": "another", "encryptionConfiguration": {"sseType": "AES256"}}),
    ("GetVectorBucket", {"vectorBucketName": "vectors"}),
    ("ListVectorBuckets", {"maxResults": 1}),
    ("CreateIndex", {
        "vectorBucketName": "another", "indexName": "words", "dataType": "float32", "dimension": 3,
        "distanceMetric": "cosine", "metadataConfiguration": {"nonFilterableMetadataKeys": ["text"]},
    }),
    ("GetIndex", {"vectorBucketName": "another", "indexName": "words"}),
    ("ListIndexes", {"vectorBucketName": "vectors", "maxResults": 1, "prefix": "li"}),
    ("PutVectors", PUT),
    ("GetVectors", {**INDEX, "keys": ["a"], "returnData": True, "returnMetadata": True}),
    ("ListVectors", {**INDEX, "segmentCount": 1, "segmentIndex": 0, "returnData": True, "returnMetadata": True}),
    ("QueryVectors", {
        **INDEX, "topK": 1, "queryVector": VECTOR, "filter": {"n": {"$gte": 1}}, "queryMode": "ENHANCED",
        "returnDistance": True, "returnMetadata": True, "returnScores": True,
    }),
    ("DeleteVectors", {**INDEX, "keys": ["none"]}),
    ("DeleteIndex", {"vectorBucketName": "another", "indexName": "words"}),
    ("DeleteVectorBucket", {"vectorBucketName": "another"}),
]
# Not here: full text search and its languages, which the stand-in refuses by name. Tags are taken and not kept.
PASSED_OVER = {"queryTexts", "textSearchConfigurations", "tags"}
BY_NAME_OR_ARN = {"vectorBucketName": "vectorBucketArn", "indexName": "indexArn"}
ARNS = {
    "vectorBucketArn": "arn:aws:s3vectors:us-east-1:000000000000:bucket/vectors",
    "indexArn": "arn:aws:s3vectors:us-east-1:000000000000:bucket/vectors/index/lines",
}

passed = failed = 0


def check(what, problems):
    """Prints one line, with what is wrong if something is."""
    global passed, failed
    if problems:
        failed += 1
        print(f"FAILED  {what}")
        for problem in problems[:10]:
            print(f"        {problem}")
    else:
        passed += 1
        print(f"ok      {what}")


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        there = json.loads(self.process.stdout.readline())
        self.url = there["url"]
        self.signer = SigV4Auth(Credentials(there["accessKeyId"], there["secretAccessKey"]), "s3vectors", "us-east-1")
        self.session = URLLib3Session()

    def ask(self, operation, request):
        """The status, the error's name and the answer's JSON. Nothing of the request is checked on its way."""
        http = SERVICE.operation_model(operation).http
        path = http["requestUri"].replace("{resourceArn}", "arn")
        asked = AWSRequest(http["method"], self.url + path, data=json.dumps(request))
        self.signer.add_auth(asked)
        answer = self.session.send(asked.prepare())
        return answer.status_code, answer.headers.get("x-amzn-errortype"), json.loads(answer.content)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def wrong_values(shape):
    """Values just outside of what the shape allows, and values just inside."""
    limits = shape.metadata
    least, most = limits.get("min"), limits.get("max")
    enum = getattr(shape, "enum", [])
    outside, inside = [], []
    if shape.type_name == "string" and "pattern" not in limits and not enum:
        if least:
            outside.append("a" * (least - 1))
            inside.append("a" * least)
        if most:
            outside.append("a" * (most + 1))
            inside.append("a" * most)
    if shape.type_name == "string" and "pattern" in limits:
        outside.append("a")
    if enum:
        outside.append("none-of-them")
    if shape.type_name == "integer":
        if least is not None:
            outside.append(least - 1)
            inside.append(least)
        if most is not None:
            outside.append(most + 1)
            inside.append(most)
    return outside, inside


def cases(shape, path=()):
    """Each place of a request with a limit: its path, values outside of it, values inside."""
    for name, member in shape.members.items():
        if name in PASSED_OVER:
            continue
        here = (*path, name)
        if member.type_name == "structure" and not member.is_document_type:
            yield from cases(member, here)
        elif member.type_name == "list":
            yield here, "length", member.metadata
            if member.member.type_name == "structure":
                yield from cases(member.member, (*here, 0))
            else:
                yield (*here, 0), "value", member.member
        else:
            yield here, "value", member


def place(request, path):
    """What holds the last part of the path; undefined (None) where the request does not have it."""
    for part in path[:-1]:
        if isinstance(part, str) and part not in request:
            request[part] = {}
        request = request[part]
    return request


def changed(request, path, value):
    """The request with another value there; a name that is replaced by an ARN goes with it."""
    result = copy.deepcopy(request)
    if path[-1] in ARNS:
        for name in BY_NAME_OR_ARN:
            if BY_NAME_OR_ARN[name] == path[-1] or path[-1] == "indexArn":
                result.pop(name, None)
    holder = place(result, path)
    if isinstance(path[-1], int):
        holder[:] = [value]
    else:
        holder[path[-1]] = value
    return result


def of_form(kind, body):
    return kind == "ValidationException" and "validation error" in body.get("message", "")


def answer_problems(value, shape, path=""):
    """What an answer has, or lacks, against its shape."""
    if shape.type_name == "structure":
        if getattr(shape, "is_document_type", False):
            return [] if isinstance(value, dict) else [f"{path}: no document"]
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        problems = [f"{path}/{name}: unknown" for name in value if name not in shape.members]
        problems += [f"{path}/{name}: missing" for name in shape.required_members if name not in value]
        for name, member in shape.members.items():
            if name in value:
                problems += answer_problems(value[name], member, f"{path}/{name}")
        return problems
    if shape.type_name == "list":
        if not isinstance(value, list):
            return [f"{path}: no list"]
        return [p for at, one in enumerate(value) for p in answer_problems(one, shape.member, f"{path}/{at}")]
    if shape.type_name == "string":
        if not isinstance(value, str):
            return [f"{path}: no text"]
        limits = shape.metadata
        problems = []
        if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
            problems.append(f"{path}: {value} does not match {limits['pattern']}")
        if not limits.get("min", 0) <= len(value) <= limits.get("max", len(value)):
            problems.append(f"{path}: {len(value)} characters")
        if shape.enum and value not in shape.enum:
            problems.append(f"{path}: {value} is none of {shape.enum}")
        return problems
    kinds = {"integer": int, "float": (int, float), "timestamp": (int, float), "boolean": bool}
    return [] if isinstance(value, kinds[shape.type_name]) else [f"{path}: no {shape.type_name}"]


def error_problems(operation, status, kind, body):
    """What an error has against the model: its name, its status, its members."""
    shapes = {shape.name: shape for shape in SERVICE.operation_model(operation).error_shapes}
    if kind not in shapes:
        return [f"{operation} has no error {kind}"]
    expected = shapes[kind].metadata.get("error", {}).get("httpStatusCode", 400)
    problems = [] if status == expected else [f"{kind} has the status {status}, not {expected}"]
    return problems + answer_problems(body, shapes[kind])


def check_right(server):
    for operation, request in RIGHT:
        model = SERVICE.operation_model(operation)
        status, kind, body = server.ask(operation, request)
        problems = [f"{status} {kind} {body}"] if status != 200 else answer_problems(body, model.output_shape)
        check(f"{operation}: the answer has the model's form", problems)
    check("an answer after those is not empty", [] if server.ask("GetVectors", RIGHT[7][1])[2]["vectors"] else ["empty"])


def check_wrong(server):
    for operation, request in RIGHT:
        shape = SERVICE.operation_model(operation).input_shape
        problems, looked = [], 0
        for name in shape.required_members:
            without = {key: value for key, value in request.items() if key != name}
            status, kind, body = server.ask(operation, without)
            looked += 1
            problems += [] if of_form(kind, body) else [f"without {name}: {status} {kind} {body}"]
            problems += error_problems(operation, status, kind, body)
        for path, what, limits in cases(shape):
            if what == "length":
                holder = place(copy.deepcopy(request), path)
                one = holder[path[-1]][0] if holder.get(path[-1]) else "k"
                sized = lambda n: [one] * n
                least, most = limits.get("min"), limits.get("max")
                outside = ([sized(least - 1)] if least else []) + ([sized(most + 1)] if most else [])
                inside = ([sized(least)] if least else []) + ([sized(most)] if most else [])
            else:
                outside, inside = wrong_values(limits)
            for value in outside:
                status, kind, body = server.ask(operation, changed(request, path, value))
                looked += 1
                shown = f"{'/'.join(map(str, path))} = {str(value)[:40]}"
                problems += [] if of_form(kind, body) else [f"{shown}: {status} {kind} {str(body)[:200]}"]
                problems += error_problems(operation, status, kind, body)
            for value in inside:
                status, kind, body = server.ask(operation, changed(request, path, value))
                looked += 1
                shown = f"{'/'.join(map(str, path))} = {str(value)[:40]}"
                problems += [f"{shown}: {body}"] if of_form(kind, body) else []
                problems += [] if status == 200 else error_problems(operation, status, kind, body)
        check(f"{operation}: {looked} requests just inside and outside of the model's limits", problems)


def check_others(server):
    there = {operation for operation, _ in RIGHT}
    problems, others = [], [name for name in SERVICE.operation_names if name not in there]
    for operation in others:
        status, kind, body = server.ask(operation, {})
        if (status, kind) != (501, "NotImplemented") or operation not in body["message"]:
            problems.append(f"{operation}: {status} {kind} {body}")
    check(f"the model's other operations ({', '.join(others)}) are NotImplemented by name", problems)


def main():
    server = Server(sys.argv[1:])
    try:
        check_right(server)
        check_wrong(server)
        check_others(server)
    finally:
        server.close()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
