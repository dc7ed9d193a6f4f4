"""Signed links by botocore's judgement, from stdin: whether it signs the same, and the length of the object; null where there is
none. One JSON pair a line. Access by the environment."""

import json
import os
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

region = os.environ["AWS_REGION"]
key = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=region)
for link in sys.stdin.read().split():
    unsigned, _, signature = link.rpartition("&X-Amz-Signature=")
    query = dict(parse_qsl(urlsplit(link).query))
    request = AWSRequest("GET", unsigned)
    request.context["timestamp"] = query["X-Amz-Date"]
    auth = S3SigV4QueryAuth(Credentials(*key), "s3", region)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    bucket, _, name = unquote(urlsplit(link).path).lstrip("/").partition("/")
    try:
        length = s3.head_object(Bucket=bucket, Key=name)["ContentLength"]
    except ClientError:
        length = None
    print(json.dumps([signature == expected, length]))
