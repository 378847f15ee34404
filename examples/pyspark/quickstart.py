"""SQL, DataFrames, pandas and a Python UDF, on a driver that the gateway starts for this script.

    pip install pyspark-client
    python quickstart.py [sc://HOST:PORT]
"""
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, udf

url = sys.argv[1] if len(sys.argv) > 1 else "sc://localhost:15002"
spark = SparkSession.builder.remote(url).getOrCreate()
print("Spark", spark.version)

print(spark.sql("SELECT sum(id) AS total FROM range(1000)").first().total)

orders = spark.createDataFrame([("ada", 30.0), ("bob", 12.5), ("ada", 7.5)], "name string, amount double")
print(orders.groupBy("name").sum("amount").orderBy("name").toPandas())


@udf("string")
def shout(text):
    return text.upper() + "!"


orders.select(shout(col("name")).alias("loud")).distinct().orderBy("loud").show()

# Ends the session: the gateway stops its driver a minute later if nobody else uses it.
spark.stop()
