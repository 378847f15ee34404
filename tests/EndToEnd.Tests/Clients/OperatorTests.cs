using System.Text.Json;
using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>An operator opens and closes what a stock client uses.</summary>
public sealed class OperatorTests
{
    [Fact]
    public async Task Operator_OpensASession_AClientUsesItAndReadsWhoClosedIt()
    {
        using var marker = new Marker();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });
        using var opened = JsonDocument.Parse(await gateway.SessionsAsync("open", "--output", "json"));
        var rowId = opened.RootElement.GetProperty("session_row_id").GetString()!;

        await using var client = PythonClient.Start(
            $"USED, CLOSED = '{marker.Path("used")}', '{marker.Path("closed")}'\n" +
            """
            import os, time
            from pyspark.sql import SparkSession

            spark = SparkSession.builder.remote(URL + ";user_id=ada").getOrCreate()
            print("count", spark.range(10).count())
            open(USED, "w").close()
            while not os.path.exists(CLOSED):
                time.sleep(0.05)
            try:
                spark.range(10).count()
            except Exception as error:
                print("error", str(error).replace("\n", " "))
            """,
            opened.RootElement.GetProperty("connection_string").GetString()!);
        await marker.SeenAsync("used", client);
        var used = await gateway.SessionsAsync("describe", rowId);
        await gateway.SessionsAsync("close", rowId, "--as", "jane", "--note", "maintenance tonight");
        marker.Set("closed");
        var output = await PythonClient.GoodEndAsync(client);

        Assert.Contains("count 10", output, StringComparison.Ordinal);
        Assert.Matches(@"ada\s+\S+\s+bound\s+precreated", used);
        Assert.Contains("an operator closed it (admin as jane (unverified): maintenance tonight)", output, StringComparison.Ordinal);
        Assert.Single(JsonDocument.Parse(await gateway.SessionsAsync("list", "--state", "all", "--output", "json")).RootElement.EnumerateArray());
    }
}
