namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>What an operator does before the gateways of a new database start.</summary>
internal static class Migration
{
    /// <param name="store">KEY=VALUE, those that say which store.</param>
    public static async Task RunAsync(params IEnumerable<string> store)
    {
        await using var migration = OwnedProcess.Start("the migration", Path.Combine(AppContext.BaseDirectory, "spark-gateway"),
            ["migrate", .. store.SelectMany(setting => new[] { "--set", setting })], []);
        Assert.True(await migration.ExitAsync() == 0, migration.Output);
    }
}
