import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * SQL and DataFrames with the stock JVM client, on a driver that the gateway starts for this program.
 *
 * <pre>
 * Needs org.apache.spark:spark-connect-client-jvm_2.13 and what it depends on:
 * javac -cp 'jars/*' Quickstart.java
 * java --add-opens=java.base/java.nio=ALL-UNNAMED -cp 'jars/*:.' Quickstart [sc://HOST:PORT]
 * </pre>
 */
public final class Quickstart {
    private Quickstart() {
    }

    public static void main(String[] args) {
        String url = args.length > 0 ? args[0] : "sc://localhost:15002";
        SparkSession spark = SparkSession.builder().remote(url).getOrCreate();
        System.out.println("Spark " + spark.version());

        Row total = spark.sql("SELECT sum(id) AS total FROM range(1000)").head();
        System.out.println("total " + total.getLong(0));

        Dataset<Row> groups = spark.range(100).selectExpr("id % 3 AS remainder").groupBy("remainder").count().orderBy("remainder");
        for (Row row : groups.collectAsList()) {
            System.out.println(row.getLong(0) + ": " + row.getLong(1));
        }

        // Ends the session: the gateway stops its driver a minute later if nobody else uses it.
        spark.stop();
    }
}
