using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Relay.Tests.Http2;

/// <summary>What waits for a socket: in order, credited once, and in little memory where little waits.</summary>
public sealed class OutputQueueTests
{
    private readonly OutputQueue queue = new();
    private readonly Sink sink = new();

    [Fact]
    public void Frames_ThatAreFew_WaitInASmallSegment()
    {
        queue.WriteSettingsAck();

        Assert.Equal(Segment.SmallSize, Capacity());
    }

    [Fact]
    public void Frames_ThatAreWrittenTogether_GoOutInOnePiece()
    {
        queue.WriteSettingsAck();
        queue.WriteData(1, new byte[20_000], endStream: false, sink);

        Assert.Equal(queue.Length, queue.Next.Length);
        queue.Advance(queue.Length);
        Assert.Equal(20_000, sink.Bytes);
        Assert.Equal(0, queue.Answers);
        Assert.Equal(0, queue.OverheadBytes);
    }

    [Fact]
    public void Bytes_ThatASocketReads_StayWhereTheyAre()
    {
        queue.Write("first"u8);
        var lent = queue.Next;

        queue.Write(new byte[Segment.Size]);

        Assert.Equal("first"u8, lent.Span);
        Assert.True(queue.Next.Span.StartsWith("first"u8));
    }

    [Fact]
    public void Rest_OfALargeSegment_MovesToASmallOneWithItsCredits()
    {
        queue.WriteData(1, new byte[10_000], endStream: true, sink);
        queue.WritePingAck("12345678"u8);
        var all = queue.Next.ToArray();

        queue.Advance(all.Length - 100);

        Assert.Equal(Segment.SmallSize, Capacity());
        Assert.Equal(all[^100..], queue.Next.ToArray());
        Assert.Equal(0, sink.Bytes);
        Assert.Equal(1, queue.Answers);
        queue.Advance(100);
        Assert.Equal(10_000, sink.Bytes);
        Assert.Equal(0, queue.Answers);
        Assert.True(queue.IsEmpty);
    }

    [Fact]
    public void Bytes_OfAnyLengthsTakenInAnySteps_ComeOutInOrder()
    {
        var random = new Random(20261125);
        for (var round = 0; round < 200; round++)
        {
            var (written, taken) = (new List<byte>(), new List<byte>());
            while (written.Count < 300_000)
            {
                var bytes = new byte[random.Next(3) switch { 0 => random.Next(40), 1 => random.Next(4_000), _ => random.Next(90_000) }];
                random.NextBytes(bytes);
                queue.Write(bytes);
                written.AddRange(bytes);
                for (var reads = random.Next(4); reads > 0 && !queue.IsEmpty; reads--) Take(taken, random.Next(1, queue.Next.Length + 1));
            }

            while (!queue.IsEmpty) Take(taken, queue.Next.Length);
            Assert.True(written.SequenceEqual(taken), $"Round {round}.");
            Assert.Equal(0, queue.Length);
        }
    }

    private void Take(List<byte> taken, int bytes)
    {
        taken.AddRange(queue.Next.Span[..bytes]);
        queue.Advance(bytes);
    }

    private int Capacity()
    {
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(queue.Next, out var array));
        return array.Array!.Length;
    }

    private sealed class Sink : ITakenSink
    {
        public int Bytes { get; private set; }

        public void Taken(int bytes) => Bytes += bytes;
    }
}
