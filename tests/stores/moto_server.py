"""moto's S3 on a port of its own, with a folder uploaded and signatures checked: moto_server.py FOLDER

Prints the environment of a client as JSON once it serves, and ends with its stdin.
"""

import json
import os
import pathlib
import sys
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://127.0.0.1:{port}"
anyone = dict(endpoint_url=address, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
iam, s3 = boto3.client("iam", **anyone), boto3.client("s3", **anyone)
iam.create_user(UserName="talkmeter")
policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
iam.put_user_policy(UserName="talkmeter", PolicyName="s3", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="talkmeter")["AccessKey"]
folder = pathlib.Path(sys.argv[1])
for bucket in ["calls", "figures"]:
    s3.create_bucket(Bucket=bucket)
for path in folder.rglob("*"):
    if path.is_file():
        s3.put_object(Bucket="calls", Key=f"may/{path.relative_to(folder).as_posix()}", Body=path.read_bytes())
# From now on every request is checked.
plain = {"Content-Type": "text/plain"}
urllib.request.urlopen(urllib.request.Request(f"{address}/moto-api/reset-auth", b"0", plain, method="POST")).read()
print(
    json.dumps(
        {
            "AWS_ENDPOINT_URL": address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
    ),
    flush=True,
)
sys.stdin.read()
os._exit(0)
