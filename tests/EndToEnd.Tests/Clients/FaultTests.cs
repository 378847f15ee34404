using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>What breaks between a stock client and a real driver, one thing after the other: the query finishes wherever Spark allows it.</summary>
public sealed class FaultTests(SharedDrivers drivers)
{
    private const uint Codes = 15;
    private const uint NoError = 0;
    private const uint RefusedStream = 7;

    [Theory]
    [InlineData(StockClient.Python)]
    [InlineData(StockClient.Jvm)]
    public async Task Faults_BetweenAStockClientAndItsDriver_LoseOnlyWhatADriverResets(StockClient kind)
    {
        var driver = await drivers.SparkAsync();
        await using var bench = await FaultBench.StartAsync(kind, driver);

        await ConnectionToTheDriverCutAsync(bench);
        await ConnectionToTheClientCutAsync(bench);
        await GoAwayAsync(bench);
        await SlowNetworkAsync(bench);
        await ResetsAsync(bench, kind);
        await UnreachableAsync(bench, driver);
    }

    private static async Task ConnectionToTheDriverCutAsync(FaultBench bench)
    {
        (string What, Func<CutPlan> Plan)[] cuts =
        [
            ("in the request", () => bench.Back.CutIn(Way.Up, Cut.Rst, IsLong, bytesIn: 500)),
            ("before the first byte", () => bench.Back.CutIn(Way.Down, Cut.Rst, frame => bench.IsAnswer(frame, FrameType.Headers), bytesIn: 0)),
            ("in a message", () => bench.Back.CutIn(Way.Down, Cut.Fin, bench.IsRows, bytesIn: 5_000)),
            ("between messages", () => bench.Back.CutIn(Way.Down, Cut.Rst, Second(bench.IsRows), bytesIn: 0)),
            ("at the trailers", () => bench.Back.CutIn(Way.Down, Cut.Fin, frame => bench.IsAnswer(frame, FrameType.Headers) && frame.Has(FrameFlags.EndStream), bytesIn: 0)),
        ];
        foreach (var (what, plan) in cuts)
        {
            Assert.Equal((what, FaultBench.Rows), (what, await bench.QueryAsync(plan)));
            await bench.UnavailableAsync(1);
        }
    }

    private static async Task ConnectionToTheClientCutAsync(FaultBench bench)
    {
        Assert.Equal(FaultBench.Rows, await bench.QueryAsync(() => bench.Front.CutIn(Way.Up, Cut.Rst, IsLong, bytesIn: 500)));
        Assert.Equal(FaultBench.Rows, await bench.QueryAsync(() => bench.Front.CutIn(Way.Down, Cut.Fin, IsLong, bytesIn: 500)));
    }

    private static async Task GoAwayAsync(FaultBench bench)
    {
        var links = bench.Back.Links.Count;
        Assert.Equal(FaultBench.Rows, await bench.QueryAsync(() => bench.Back.InsertBehind(Way.Down, bench.IsRows, frame => Frame.GoAway(frame.StreamId, ErrorCodes.NoError))));
        await bench.UnavailableAsync(0);
        Assert.Equal(FaultBench.Rows, await bench.QueryAsync());
        Assert.Equal(links + 1, bench.Back.Links.Count);

        Assert.Equal(FaultBench.Rows, await bench.QueryAsync(() => bench.Back.InsertBehind(Way.Down, bench.IsRows, _ => Frame.GoAway(0, ErrorCodes.NoError))));
        await bench.UnavailableAsync(1);
    }

    private static async Task SlowNetworkAsync(FaultBench bench)
    {
        foreach (var cutter in new[] { bench.Front, bench.Back }) (cutter.SplitBytes, cutter.Delay) = (7_777, TimeSpan.FromMilliseconds(1));
        Assert.Equal(FaultBench.Rows, await bench.QueryAsync());
        foreach (var cutter in new[] { bench.Front, bench.Back }) (cutter.SplitBytes, cutter.Delay) = (null, null);
    }

    /// <summary>Each code reaches the client as it is; what that makes of it is its own affair.</summary>
    private static async Task ResetsAsync(FaultBench bench, StockClient kind)
    {
        uint[] retried = kind == StockClient.Python ? [RefusedStream] : [NoError, RefusedStream];
        for (var code = 0u; code < Codes; code++)
        {
            var shown = await bench.QueryAsync(() => bench.Back.InsertBehind(Way.Down, bench.IsRows, frame => Frame.Reset(frame.StreamId, code)));
            var expected = retried.Contains(code) ? FaultBench.Rows : kind == StockClient.Python ? $"Received RST_STREAM with error code {code})" : "RST_STREAM closed stream.";
            Assert.True(shown.Contains(expected, StringComparison.Ordinal), $"After a reset with code {code}: {shown}");
        }
    }

    private static async Task UnreachableAsync(FaultBench bench, DirectDriver driver)
    {
        await bench.Back.DisposeAsync();
        bench.Begin();
        await bench.UnavailableAsync(1);
        bench.Reopen(driver);
        Assert.Equal(FaultBench.Rows, await bench.ResultAsync());

        await bench.Back.DisposeAsync();
        using (SilentListener.Start(bench.Back.Port))
        {
            bench.Begin();
            await bench.UnavailableAsync(1);
        }

        bench.Reopen(driver);
        Assert.Equal(FaultBench.Rows, await bench.ResultAsync());
    }

    private static bool IsLong(FrameHeader frame) => frame is { Type: FrameType.Data, Length: > 1_000 };

    private static Func<FrameHeader, bool> Second(Func<FrameHeader, bool> fits)
    {
        var seen = 0;
        return frame => fits(frame) && ++seen == 2;
    }
}
