"""Bring your own driver: use a session that the gateway knows, by its name and namespace.

    python byod.py [sc://HOST:PORT] [NAME] [NAMESPACE]
"""
import sys

from pyspark.sql import SparkSession

url = sys.argv[1] if len(sys.argv) > 1 else "sc://localhost:15002"
name = sys.argv[2] if len(sys.argv) > 2 else "my-spark-app"
namespace = sys.argv[3] if len(sys.argv) > 3 else "sjns-data-control"

# By session configuration. Stock clients send it once, as the session begins, and the gateway remembers it.
spark = (
    SparkSession.builder.remote(url)
    .config("spark.connect.grpc.header.x-spark-session-id", name)
    .config("spark.connect.grpc.header.x-spark-namespace", namespace)
    .getOrCreate()
)
print("by config:", spark.range(10).count())
spark.stop()

# By connection string. Its parameters go out as headers with every call.
separator = ";" if "/;" in url else "/;"
spark = SparkSession.builder.remote(f"{url}{separator}x-spark-session-id={name};x-spark-namespace={namespace}").getOrCreate()
print("by connection string:", spark.range(10).count())
spark.stop()
