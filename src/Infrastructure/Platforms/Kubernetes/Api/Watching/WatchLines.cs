using System.Buffers;
using System.IO.Pipelines;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Watching;

/// <summary>Cuts the body of a watch into lines, none longer than its bound.</summary>
internal sealed class WatchLines(Stream body, int maxBytes) : IAsyncDisposable
{
    private readonly PipeReader reader = PipeReader.Create(body);
    private SequencePosition consumed;
    private bool isHeld;

    public ValueTask DisposeAsync() => reader.CompleteAsync();

    /// <summary>The next whole line, good until the next call; null: the body has ended.</summary>
    /// <exception cref="InvalidDataException">The line is too long, or the body ended within one.</exception>
    public async ValueTask<ReadOnlySequence<byte>?> NextAsync(CancellationToken cancellation)
    {
        if (isHeld) reader.AdvanceTo(consumed);
        isHeld = false;
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                (consumed, isHeld) = (buffer.GetPosition(1, end), true);
                return buffer.Slice(0, end);
            }

            var rest = buffer.Length;
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (rest > maxBytes) throw new InvalidDataException($"a line is longer than {maxBytes} bytes (kubernetes.watch_max_line_megabytes)");
            if (!read.IsCompleted) continue;
            return rest == 0 ? null : throw new InvalidDataException("the answer ended in the middle of a line");
        }
    }
}
