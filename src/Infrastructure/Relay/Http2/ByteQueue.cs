using System.Buffers;

namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>Data of one stream that cannot go on yet. Small by nature, so its buffers are sized by need.</summary>
internal sealed class ByteQueue
{
    private const int SmallestChunk = 512;
    private const int LargestChunk = 16 * 1024;

    private readonly Queue<Chunk> chunks = new(1);
    private Chunk? last;

    public int Length { get; private set; }

    public bool IsEmpty => Length == 0;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        while (!bytes.IsEmpty)
        {
            if (last is null || last.End == last.Buffer.Length)
            {
                last = new Chunk(ArrayPool<byte>.Shared.Rent(Math.Clamp(bytes.Length, SmallestChunk, LargestChunk)));
                chunks.Enqueue(last);
            }

            var take = Math.Min(bytes.Length, last.Buffer.Length - last.End);
            bytes[..take].CopyTo(last.Buffer.AsSpan(last.End));
            last.End += take;
            bytes = bytes[take..];
        }
    }

    /// <summary>The first bytes, of one buffer, at most <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> Peek(int most)
    {
        if (!chunks.TryPeek(out var first)) return default;
        return first.Buffer.AsSpan(first.Start, Math.Min(most, first.End - first.Start));
    }

    /// <summary>Copies the first bytes, as many as there are and fit; returns how many.</summary>
    public int CopyTo(Span<byte> destination)
    {
        var copied = 0;
        foreach (var chunk in chunks)
        {
            var take = Math.Min(chunk.End - chunk.Start, destination.Length - copied);
            chunk.Buffer.AsSpan(chunk.Start, take).CopyTo(destination[copied..]);
            copied += take;
            if (copied == destination.Length) break;
        }

        return copied;
    }

    public void Consume(int bytes)
    {
        Length -= bytes;
        while (bytes > 0)
        {
            var first = chunks.Peek();
            var take = Math.Min(bytes, first.End - first.Start);
            first.Start += take;
            bytes -= take;
            if (first.Start < first.End) continue;
            chunks.Dequeue();
            if (ReferenceEquals(first, last)) last = null;
            ArrayPool<byte>.Shared.Return(first.Buffer);
        }
    }

    public void Clear() => Consume(Length);

    private sealed class Chunk(byte[] buffer)
    {
        public byte[] Buffer { get; } = buffer;

        public int Start { get; set; }

        public int End { get; set; }
    }
}
