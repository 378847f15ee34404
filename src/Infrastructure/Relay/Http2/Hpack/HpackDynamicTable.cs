namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>
/// RFC 7541 section 4. The texts lie one behind the other in one buffer, oldest first, so that each is one span; entries
/// are a ring beside it. Both are made at the first insertion and grow with what the peer really uses.
/// </summary>
internal sealed class HpackDynamicTable(int maxBytes)
{
    public const int EntryOverhead = 32;

    /// <summary>Until the peer has seen our settings, and as long as it announces nothing else: RFC 9113 section 6.5.2.</summary>
    private const int ProtocolDefault = 4096;

    private const int FirstBytes = 512;
    private const int FirstEntries = 16;

    private byte[] texts = [];
    private Entry[] entries = [];
    private int textsStart;
    private int textsEnd;
    private int oldest;

    public int Limit { get; private set; } = Math.Min(maxBytes, ProtocolDefault);

    public int Count { get; private set; }

    /// <summary>As the protocol counts it: texts and 32 for each entry.</summary>
    public int Size => textsEnd - textsStart + (Count * EntryOverhead);

    /// <summary>What is really held.</summary>
    public int AllocatedBytes => texts.Length + (entries.Length * 3 * sizeof(int));

    /// <param name="age">0 is the newest.</param>
    public ReadOnlySpan<byte> Name(int age)
    {
        ref readonly var entry = ref At(Count - 1 - age);
        return texts.AsSpan(entry.Start, entry.NameLength);
    }

    public ReadOnlySpan<byte> Value(int age)
    {
        ref readonly var entry = ref At(Count - 1 - age);
        return texts.AsSpan(entry.Start + entry.NameLength, entry.ValueLength);
    }

    /// <summary>False if it is above what we allow.</summary>
    public bool TrySetLimit(int bytes)
    {
        if (bytes > maxBytes) return false;
        Limit = bytes;
        EvictTo(bytes);
        return true;
    }

    /// <summary>The spans must not be of this table, whose bytes move. A field larger than the table leaves it empty.</summary>
    public void Insert(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var size = (long)name.Length + value.Length + EntryOverhead;
        EvictTo((int)Math.Max(0, Limit - size));
        if (size > Limit) return;

        MakeRoom(name.Length + value.Length);
        name.CopyTo(texts.AsSpan(textsEnd));
        value.CopyTo(texts.AsSpan(textsEnd + name.Length));
        Count++;
        At(Count - 1) = new Entry { Start = textsEnd, NameLength = name.Length, ValueLength = value.Length };
        textsEnd += name.Length + value.Length;
    }

    private void EvictTo(int bytes)
    {
        while (Size > bytes)
        {
            textsStart += At(0).Length;
            oldest = (oldest + 1) % entries.Length;
            Count--;
        }
    }

    private void MakeRoom(int length)
    {
        if (Count == entries.Length) GrowEntries();
        if (textsEnd + length <= texts.Length) return;

        var live = texts.AsSpan(textsStart..textsEnd);
        var target = texts;
        if (live.Length + length > texts.Length)
            target = new byte[Math.Min(maxBytes, Math.Max(live.Length + length, Math.Max(FirstBytes, texts.Length * 2)))];
        live.CopyTo(target);
        for (var i = 0; i < Count; i++) At(i).Start -= textsStart;
        texts = target;
        textsEnd -= textsStart;
        textsStart = 0;
    }

    private void GrowEntries()
    {
        var grown = new Entry[Math.Max(FirstEntries, entries.Length * 2)];
        for (var i = 0; i < Count; i++) grown[i] = At(i);
        entries = grown;
        oldest = 0;
    }

    /// <param name="order">0 is the oldest.</param>
    private ref Entry At(int order) => ref entries[(oldest + order) % entries.Length];

    private struct Entry
    {
        public int Start;
        public int NameLength;
        public int ValueLength;

        public readonly int Length => NameLength + ValueLength;
    }
}
