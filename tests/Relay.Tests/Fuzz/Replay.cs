using SparkGateway.Features.RelayStream;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Relay.Tests.Calls;

namespace SparkGateway.Relay.Tests.Fuzz;

/// <summary>Plays a conversation to a fresh relay, cut as the cutter says, and checks what it says and what it holds.</summary>
internal sealed class Replay
{
    private const int Window = 200_000;

    private readonly RelayBench bench = new(new RelayOptions { ConnectionWindowBytes = Window, ParkedBytesPerConnection = 100_000 });
    private readonly Listener client = new(isClient: true, 1 << 24);
    private readonly List<Listener> drivers = [];

    private Replay() => bench.Bind();

    /// <param name="cut">How many of so many bytes come next.</param>
    public static Replay Play(Conversation conversation, Func<int, int> cut)
    {
        var replay = new Replay();
        foreach (var (who, bytes) in conversation.Lines) replay.Say(who, bytes, cut);
        return replay;
    }

    public string Said() => string.Join("\n---\n", drivers.Prepend(client).Select(one => one.Said()))
        + "\n" + string.Join('\n', bench.Ended.Select(e => $"{e.Rpc} {e.Side} {e.GrpcStatus}").Order(StringComparer.Ordinal));

    /// <summary>The client leaves: then nothing is held, and each call has ended once.</summary>
    public void Finish()
    {
        client.AssertWhole();
        foreach (var driver in drivers) driver.AssertWhole();
        bench.Client.ClientGone();
        Drain();
        Assert.Equal((0, 0L), (bench.Client.OpenCalls, bench.Total.Bytes));
        Assert.Equal(0, bench.Client.Parked.Bytes);
        foreach (var driver in bench.Connected) Assert.Equal((0, 0), (driver.Account.Held, driver.Account.ExtraGrants));
        foreach (var route in bench.Connected.Select(d => d.Route)) Assert.Equal(0, route.OpenCalls);
    }

    private void Say(Speaker who, byte[] bytes, Func<int, int> cut)
    {
        switch (who)
        {
            case Speaker.Admit:
                foreach (var (group, request) in bench.Admissions.ToArray())
                    bench.Client.Admitted(group, new Admission.Forward(bench.Bind("other", request.Key.ClientSessionId)));
                bench.Admissions.Clear();
                foreach (var (call, _) in bench.Clones.ToArray()) bench.Client.CloneBound(call, null);
                bench.Clones.Clear();
                break;
            case Speaker.Second:
                bench.Client.Now += 1000;
                bench.Client.Tick();
                break;
            case Speaker.Shutdown:
                bench.Client.BeginShutdown();
                break;
            case Speaker.Client:
                Receive(bench.Client, bytes, cut);
                break;
            default:
                if (bench.Connected.Count > 0) Receive(bench.Connected[^1], bytes, cut);
                break;
        }

        Drain();
    }

    private void Receive(Http2Connection relay, ReadOnlySpan<byte> bytes, Func<int, int> cut)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Clamp(cut(bytes.Length), 1, bytes.Length);
            relay.Receive(bytes[..count]);
            bytes = bytes[count..];
            Drain();
        }
    }

    /// <summary>The sockets take all; what is held beyond them is bounded by the windows.</summary>
    private void Drain()
    {
        bench.Client.Settle();
        Hear(bench.Client, client);
        for (var n = 0; n < bench.Connected.Count; n++)
        {
            if (drivers.Count == n) drivers.Add(new Listener(isClient: false, 1 << 24));
            Hear(bench.Connected[n], drivers[n]);
            Assert.InRange(bench.Connected[n].Book.Held, 0, Window + 65_536);
        }

        Assert.InRange(bench.Client.Book.Held, 0, Window + 65_536);
        Assert.InRange(bench.Total.Bytes, 0, 100_000);
    }

    private static void Hear(Http2Connection relay, Listener listener)
    {
        while (!relay.Output.IsEmpty)
        {
            listener.Hear(relay.Output.Next.Span);
            relay.Output.Advance(relay.Output.Next.Length);
        }
    }
}
