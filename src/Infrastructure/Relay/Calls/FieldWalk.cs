namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// Walks the top-level fields of one protobuf message as its bytes come, and holds nothing of them but a number begun. What
/// passes ends where a field ends, under every reading of the wire format: bytes behind it are fields of their own.
/// </summary>
internal struct FieldWalk
{
    /// <summary>Parsers differ in what they make of more: some refuse, some drop the upper bits.</summary>
    private const int MostTagBytes = 5;

    private const int MostNumberBytes = 10;

    private Reading reading;
    private long left;
    private long skip;
    private ulong number;
    private int numberBytes;

    private enum Reading
    {
        Tag,
        Value,
        Length,
    }

    public readonly long Left => left;

    public void Begin(long length)
    {
        reading = Reading.Tag;
        left = length;
        skip = 0;
        number = 0;
        numberBytes = 0;
    }

    /// <summary>Of this message, at most <see cref="Left"/> bytes. Returns what is wrong with it, or null.</summary>
    public string? Pass(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (skip > 0)
            {
                var passed = (int)Math.Min(skip, bytes.Length);
                bytes = bytes[passed..];
                skip -= passed;
                left -= passed;
                continue;
            }

            var next = bytes[0];
            bytes = bytes[1..];
            left--;
            number |= (ulong)(next & 0x7f) << (7 * numberBytes++);
            if (next < 0x80)
            {
                if (Take() is { } problem) return problem;
            }
            else if (numberBytes == (reading == Reading.Tag ? MostTagBytes : MostNumberBytes))
            {
                return "a number in it has too many bytes";
            }
        }

        return left > 0 || (reading == Reading.Tag && numberBytes == 0) ? null : "it ends inside a field";
    }

    /// <summary>A number is complete.</summary>
    private string? Take()
    {
        var value = number;
        number = 0;
        numberBytes = 0;
        switch (reading)
        {
            case Reading.Tag:
                return Enter(value);
            case Reading.Length:
                reading = Reading.Tag;
                return Skip(value);
            default:
                reading = Reading.Tag;
                return null;
        }
    }

    private string? Enter(ulong tag)
    {
        if (tag > uint.MaxValue || tag >> 3 == 0) return "a field in it has no valid number";
        switch ((int)(tag & 7))
        {
            case ProtoReader.Varint:
                reading = Reading.Value;
                return null;
            case ProtoReader.LengthDelimited:
                reading = Reading.Length;
                return null;
            case ProtoReader.Fixed64:
                return Skip(8);
            case ProtoReader.Fixed32:
                return Skip(4);
            default:
                return "a field in it has a wire type that Spark Connect does not use";
        }
    }

    private string? Skip(ulong length)
    {
        if (length > (ulong)left) return "a field in it is longer than the message";
        skip = (long)length;
        return null;
    }
}
