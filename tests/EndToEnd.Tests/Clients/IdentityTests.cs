using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>Stock clients of a real Spark, whose user is the one that a trusted peer names; here the test sets the header that a proxy would.</summary>
public sealed class IdentityTests(SharedDrivers drivers)
{
    [Fact]
    public async Task PySpark_WhateverItClaims_IsTheNamedUserToSpark()
    {
        var driver = await drivers.SparkAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup
        {
            Attached = [new Attached("shared", "e2e", driver.Address)],
            Settings = ["identity.header=x-user", "identity.trusted_peers=[127.0.0.1]", "identity.enforce=true"],
        });

        var output = await PythonClient.RunAsync(
            """
            import pandas as pd
            from pyspark.sql import SparkSession
            def session(user, claimed):
                return SparkSession.builder.remote(URL.replace("CLAIMED", claimed).replace("NAMED", user)).create()
            ana = session("ana", "x")
            ana.conf.set("spark.sql.session.localRelationCacheThreshold", "1000")
            ana.createDataFrame(pd.DataFrame({"v": ["0123456789" * 10] * 50000})).createOrReplaceTempView("mine")
            print("ana", ana.table("mine").selectExpr("sum(length(v)) AS s").first().s)
            print("again", session("ana", "y").table("mine").count())
            try:
                print("mallory", session("mallory", "ana").table("mine").count())
            except Exception as e:
                print("mallory", "TABLE_OR_VIEW_NOT_FOUND" in str(e))
            """,
            gateway.Url("CLAIMED", "x-user=NAMED", $"session_id={Guid.NewGuid()}", "x-spark-session-id=shared"));

        Assert.Contains("ana 5000000", output, StringComparison.Ordinal);
        Assert.Contains("again 50000", output, StringComparison.Ordinal);
        Assert.Contains("mallory True", output, StringComparison.Ordinal);
    }
}
