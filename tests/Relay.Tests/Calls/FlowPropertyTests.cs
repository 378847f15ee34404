using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>
/// Random calls both ways, random reads, writes, window updates, resets and SETTINGS changes, up and down: whatever the order, no byte is lost,
/// doubled or out of order, no window is overrun, and in the end every window is full again.
/// </summary>
public sealed class FlowPropertyTests
{
    private const int Steps = 20_000;

    [Theory]
    [MemberData(nameof(Seeds))]
    public void AnyInterleaving_KeepsEveryByteAndEveryWindow(int seed, bool isEdited)
    {
        var random = new Random(seed);
        var bench = new RelayBench(access: isEdited ? RelayBench.Enforced : null);
        bench.Bind();
        var client = new ModelPeer(bench.Client, random, random.Next(1, 400_000), isClient: true);
        client.Greet();
        client.Arrive(all: true);
        bench.Client.Settle();
        client.Take(all: true);

        ModelPeer? driver = null;
        var calls = Enumerable.Range(0, random.Next(1, 6)).Select(n => OpenCall(client, random, (2 * n) + 1)).ToArray();
        var step = 0;
        for (; step < Steps && !IsOver(client, driver, calls); step++)
        {
            if (driver is null && bench.Connected.Count > 0)
            {
                driver = new ModelPeer(bench.Connected[0], random, random.Next(1, 400_000), isClient: false);
                driver.Greet();
            }

            bench.Client.Now += 2;
            Step(bench, client, driver, calls, random);
            bench.Client.Settle();
        }

        Assert.True(step < Steps, $"stalled: {Describe(client, driver)}");
        for (var n = 0; n < 4; n++)
        {
            foreach (var peer in new[] { client, driver! })
            {
                foreach (var stream in peer.Streams.Values) peer.Consume(stream, all: true);
                peer.Arrive(all: true);
                bench.Client.Settle();
                peer.Take(all: true);
            }
        }

        AssertBytes(client, driver!, calls, isEdited);
        Assert.Equal(0, bench.Client.OpenCalls);
        Assert.True(bench.Client.Book.IsFull, $"the client's book: {bench.Client.Book.Available} + {bench.Client.Book.Pending} + held {bench.Client.Book.Held}");
        Assert.True(bench.Connected[0].Book.IsFull, "the driver's book");
        Assert.Equal((0, 0), (bench.Connected[0].Account.Held, bench.Connected[0].Account.ExtraGrants));
        Assert.Equal(0, bench.Total.Bytes);
        Assert.Equal(calls.Length, bench.Ended.Count);
    }

    public static TheoryData<int, bool> Seeds() =>
        [.. Enumerable.Range(1, 200).Select(seed => new TheoryDataRow<int, bool>(seed, false)), .. Enumerable.Range(1, 100).Select(seed => new TheoryDataRow<int, bool>(seed, true))];

    private static ModelStream OpenCall(ModelPeer client, Random random, int id)
    {
        var message = new byte[random.Next(3) == 0 ? random.Next(300_000) : random.Next(400)];
        random.NextBytes(message);
        byte[] body = [.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User)), .. Proto.Bytes(3, message)];
        byte[] more = [.. Enumerable.Range(0, random.Next(20)).SelectMany(_ => Grpc.Frame(random.Next(3) == 0 ? [] : Proto.Bytes(4, new byte[random.Next(2_000)])))];
        client.Send(Frame.Headers(id, HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/AddArtifacts", "gateway:15002", (RelayBench.Identity, RelayBench.User)))));
        return client.Open(id, [.. Grpc.Frame(body), .. more], random.Next(2) == 0 ? random.Next(300_000) : random.Next(300));
    }

    private static void Step(RelayBench bench, ModelPeer client, ModelPeer? driver, ModelStream[] calls, Random random)
    {
        var call = calls[random.Next(calls.Length)];
        switch (random.Next(driver is null ? 4 : 13))
        {
            case 0: client.Arrive(); break;
            case 1: client.Take(); break;
            case 2: client.SendSome(call); break;
            case 3: client.Consume(call); break;
            case 4: driver!.Arrive(); break;
            case 5 or 6: driver!.Take(); break;
            case 7 or 8: Answer(driver!, calls, random); break;
            case 9:
                foreach (var stream in driver!.Streams.Values) driver.Consume(stream);
                break;
            case 10 when random.Next(20) == 0: driver!.ChangeInitialWindow(random.Next(1, 500_000)); break;
            case 11 when random.Next(20) == 0: client.ChangeInitialWindow(random.Next(1, 500_000)); break;
            case 12 when random.Next(30) == 0: client.Reset(call); break;
            case 12 when random.Next(30) == 0 && driver!.Streams.Count > 0: driver.Reset(driver.Streams.Values.ElementAt(random.Next(driver.Streams.Count))); break;
            default: bench.Client.Tick(); break;
        }
    }

    /// <summary>The driver answers with as many bytes as the call is to get, headers first and trailers last.</summary>
    private static void Answer(ModelPeer driver, ModelStream[] calls, Random random)
    {
        foreach (var stream in driver.Streams.Values.Where(s => s.HeaderBlocks.Count > 0 && !s.IsSent && !s.IsReset))
        {
            if (stream.Outgoing.Length == 0 && stream.AnswerBytes == 0)
            {
                driver.Send(Frame.Headers(stream.Id, HeaderEncoder.Encode(Grpc.ResponseHeaders())));
                stream.Outgoing = new byte[1 + random.Next(2) * random.Next(300_000)];
                random.NextBytes(stream.Outgoing);
                stream.AnswerBytes = 1;
            }
            else
            {
                driver.SendSome(stream);
            }
        }
    }

    private static bool IsOver(ModelPeer client, ModelPeer? driver, ModelStream[] calls) =>
        driver is not null && calls.All(c => c.IsOver) && driver.Streams.Values.All(s => s.IsOver) && !client.HasInFlight && !driver.HasInFlight;

    private static void AssertBytes(ModelPeer client, ModelPeer driver, ModelStream[] calls, bool isEdited)
    {
        // Calls are told apart by their bytes: the relay numbers streams in the order of admission.
        foreach (var call in calls.Where(c => !c.IsReset))
        {
            var there = driver.Streams.Values.Single(s => s.Received.SequenceEqual(isEdited ? EditedMessages.Expected(call.Outgoing, RelayBench.ClientSession, RelayBench.User) : call.Outgoing));
            Assert.True(there.Outgoing.AsSpan().SequenceEqual([.. call.Received]), $"the answer to stream {call.Id}");
        }

        Assert.Equal(calls.Length, client.Streams.Count);
    }

    private static string Describe(ModelPeer client, ModelPeer? driver) => string.Join("; ", new[] { client, driver }.OfType<ModelPeer>()
        .SelectMany(p => p.Streams.Values.Select(s => $"{s.Id}: sent {s.Sent}/{s.Outgoing.Length} window {s.SendWindow} received {s.Received.Count} unread {s.Unread} over {s.IsReceived}")));
}
