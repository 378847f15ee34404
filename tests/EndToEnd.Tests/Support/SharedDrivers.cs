using SparkGateway.EndToEnd.Tests.Support;

[assembly: AssemblyFixture(typeof(SharedDrivers))]

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>One real Spark and one Sail for all tests that only need one that lives; each starts when it is first asked for.</summary>
public sealed class SharedDrivers : IAsyncDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private DirectDriver? spark;
    private DirectDriver? sail;

    internal async Task<DirectDriver> SparkAsync()
    {
        await gate.WaitAsync();
        try
        {
            return spark ??= await DirectDriver.StartSparkAsync("--memory", "1g");
        }
        finally
        {
            gate.Release();
        }
    }

    internal async Task<DirectDriver> SailAsync()
    {
        await gate.WaitAsync();
        try
        {
            return sail ??= await DirectDriver.StartSailAsync();
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (spark is not null) await spark.DisposeAsync();
        if (sail is not null) await sail.DisposeAsync();
        gate.Dispose();
    }
}
