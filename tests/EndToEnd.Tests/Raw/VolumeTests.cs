using System.Security.Cryptography;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Many calls and the largest messages, with the gateway's memory bounded.</summary>
public sealed class VolumeTests
{
    /// <summary>The largest message that Spark takes and sends.</summary>
    private const int LargestMessage = 128 * 1024 * 1024;

    /// <summary>Buffers, pools and the collector's slack; a gateway that gathered messages would need some times more.</summary>
    private const long MemoryBound = 64L * 1024 * 1024;

    [Fact]
    public async Task ThousandCalls_AtOnceOnOneConnection_AreAllAnswered()
    {
        const int Count = 1_000;
        using var all = new CountdownEvent(Count);
        var here = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var driver = ScriptedDriver.Start(onCall: async call =>
        {
            var request = await call.MessageAsync(Deadlines.Transfer);
            if (all.Signal()) here.SetResult();
            await here.Task.Within("a thousand open calls", Deadlines.Transfer);
            await call.AnswerAsync(SparkRpc.Response(SparkRpc.SessionOf(request)));
        });
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var before = gateway.Process.Process.ResidentBytes;

        var calls = new List<(string Session, H2Stream Call)>();
        for (var number = 0; number < Count; number++)
        {
            var session = RawGateway.NewSession();
            calls.Add((session, await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), RawGateway.To(0))));
        }

        foreach (var (session, call) in calls)
        {
            Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
            Assert.Equal(session, SparkRpc.SessionOf(Grpc.Read(call.Body, out _)));
        }

        Assert.Single(driver.Connections);
        Assert.InRange(gateway.Process.Process.PeakResidentBytes - before, 0, MemoryBound);
    }

    [Fact]
    public async Task Message_Of128MiB_GoesUpAndDownWhole()
    {
        var session = RawGateway.NewSession();
        var message = Largest(session);
        var hash = Convert.ToHexString(SHA256.HashData(message));
        await using var driver = ScriptedDriver.Start(H2Options.Driver with { KeepsBodies = false });
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync(H2Options.Client with { KeepsBodies = false });
        var before = gateway.Process.Process.ResidentBytes;

        var call = await client.OpenAsync(SparkRpc.ExecutePlan, RawGateway.To(0));
        await call.SendDataAsync(message, endStream: true, Deadlines.Transfer);
        var taken = await driver.CallAsync();
        await taken.EndAsync(Deadlines.Transfer);
        Assert.Equal(message.Length, taken.Received);
        Assert.Equal(hash, taken.TakeHash());

        await taken.SendHeadersAsync(Grpc.ResponseHeaders());
        await taken.SendDataAsync(message, limit: Deadlines.Transfer);
        await taken.SendHeadersAsync(Grpc.Trailers(), endStream: true);
        Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        Assert.Equal(message.Length, call.Received);
        Assert.Equal(hash, call.TakeHash());
        Assert.InRange(gateway.Process.Process.PeakResidentBytes - before, 0, MemoryBound);
    }

    /// <summary>A request of exactly the largest size, with its gRPC prefix.</summary>
    private static byte[] Largest(string session)
    {
        var head = SparkRpc.Request(session, "ada");
        var rest = LargestMessage - head.Length;
        var plan = Proto.LengthHead(3, rest);
        plan = Proto.LengthHead(3, rest - plan.Length);
        var framed = new byte[Grpc.PrefixSize + LargestMessage];
        RandomNumberGenerator.Fill(framed);
        Grpc.Prefix(LargestMessage).CopyTo(framed, 0);
        head.CopyTo(framed, Grpc.PrefixSize);
        plan.CopyTo(framed, Grpc.PrefixSize + head.Length);
        return framed;
    }
}
